"""Moments: whole microseconds since 1970-01-01T00:00:00Z, as ``int``.

One representation inside both programs; text only at the edges. Whole numbers keep
every microsecond and compare, add and sort as they should, which floats do not.
"""

from datetime import UTC, datetime, timedelta

__all__ = ["SECOND", "span", "to_moment", "to_text"]

SECOND = 1_000_000
"""Microseconds in a second."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = 86_400
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def to_text(moment: int) -> str:
    """Write a moment as the contract does: RFC 3339, UTC, six digits, ``Z``.

    Raises:
        OverflowError: The moment lies outside the years 1 to 9999.
    """
    when = _EPOCH + timedelta(microseconds=moment)
    return when.isoformat(timespec="microseconds")[:-6] + "Z"


def to_moment(text: str) -> int:
    """Read an RFC 3339 time with an offset (``Z`` included).

    Raises:
        ValueError: It is not such a time.
    """
    when = datetime.fromisoformat(text)
    if when.tzinfo is None:
        reason = f"{text!r} has no offset from UTC; write it with a Z at the end"
        raise ValueError(reason)
    since = when - _EPOCH  # taken apart, because a division takes twice as long
    return (since.days * _DAY + since.seconds) * SECOND + since.microseconds


def span(seconds: float) -> str:
    """Write a length of time in its two largest units, in symbols of the SI and ISO."""
    rest, parts = max(int(seconds), 0), list[str]()
    for size, unit in _UNITS:
        number, rest = divmod(rest, size)
        if number or (parts and unit != "s"):
            parts.append(f"{number} {unit}")
    return " ".join(parts[:2]) or "0 s"
