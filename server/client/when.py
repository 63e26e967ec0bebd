"""Moments as somebody types them at a terminal: in UTC, or in the zone of the machine.

Pure but for the zone, which is the machine's own.
"""

import re
from argparse import ArgumentTypeError
from datetime import UTC, datetime, timedelta

from shared.moments import SECOND, to_moment, to_text

__all__ = ["FORMS", "as_local", "as_typed", "read_when"]

FORMS = "13:50, yesterday 13:50, 2026-11-24 13:50, or 2026-11-24T12:50:00Z"
"""What can be typed, as examples."""

_TIME = r"(?P<time>\d{1,2}:\d{2}(?::\d{2})?)"
_OF_A_DAY = re.compile(rf"(?:(?P<day>today|yesterday)[ ,]+)?{_TIME}", re.IGNORECASE)
_DATED = re.compile(rf"(?P<day>\d{{4}}-\d{{2}}-\d{{2}})[ T]{_TIME}", re.IGNORECASE)


def as_typed(text: str) -> str:
    """Read a moment for an option of a command, and write it as the server reads it.

    Raises:
        ArgumentTypeError: It is none; the text says what can be typed.
    """
    try:
        return to_text(read_when(text, datetime.now(UTC).astimezone()))
    except (ValueError, OverflowError) as error:
        reason = str(error) if isinstance(error, _NoMomentError) else _no(text)
        raise ArgumentTypeError(reason) from error


class _NoMomentError(ValueError):
    """What was typed is no moment; the text says why, for the one who typed it."""


def _no(text: str) -> str:
    return f"{text[:40]!r} is no moment; type one such as {FORMS}"


def read_when(text: str, now: datetime) -> int:
    """Return the moment that was typed, in microseconds since 1970.

    Args:
        text: With an offset from UTC, or without one: then in the zone of this machine.
        now: The present moment, in that zone: a time without a day is of today.

    Raises:
        ValueError: It is no moment, or one that has not come or never was on a clock.
    """
    found = _OF_A_DAY.fullmatch(text.strip())
    if found:
        back = 1 if (found["day"] or "").lower() == "yesterday" else 0
        moment = _local(f"{now.date() - timedelta(days=back)}", found["time"], text)
        if moment > int(now.timestamp()) * SECOND + SECOND:
            time = found["time"]
            reason = f"{time} has not come yet today; is it 'yesterday {time}'?"
            raise _NoMomentError(reason)
        return moment
    found = _DATED.fullmatch(text.strip())
    return _local(found["day"], found["time"], text) if found else to_moment(text)


def _local(day: str, time: str, text: str) -> int:
    hour, _, rest = time.partition(":")
    naive = datetime.fromisoformat(f"{day}T{hour:0>2}:{rest}")
    aware = naive.astimezone()
    if aware.astimezone(UTC).astimezone().replace(tzinfo=None) != naive:
        reason = f"{text.strip()} was on no clock here: that hour was left out that day"
        raise _NoMomentError(reason)
    return int(aware.timestamp()) * SECOND


def as_local(moment: str) -> str:
    """Write a moment in the zone of this machine, with its offset, and in UTC."""
    when = datetime.fromtimestamp(to_moment(moment) // SECOND, UTC)
    local = when.astimezone()
    return f"{local:%Y-%m-%d %H:%M:%S} {local:%Z} ({when:%Y-%m-%d %H:%M:%S} UTC)"
