"""Days of the site, as an address names a period: from one, to one, both inclusive."""

from datetime import date, timedelta

from server.console.clock import Clock
from server.problems import invalid

__all__ = ["period"]


def period(clock: Clock, begin: str, end: str) -> tuple[int | None, int | None]:
    """Return when a period begins and ends; ``None`` where it is open.

    Raises:
        ProblemError: 400 where one is no day.
    """
    first, last = _day("begin", begin), _day("end", end)
    behind = None if last is None else last + timedelta(days=1)
    return (
        None if first is None else clock.moment(first.isoformat()),
        None if behind is None else clock.moment(behind.isoformat()) - 1,
    )


def _day(name: str, text: str) -> date | None:
    if not text:
        return None
    try:
        found = date.fromisoformat(text)
        _ = found + timedelta(days=1), found - timedelta(days=1)
    except (ValueError, OverflowError) as error:
        reason = f"{name}={text[:40]!r}: expected a day such as 2026-04-27"
        raise invalid(reason) from error
    return found
