"""What a station says by itself, between two scans. Pure.

Only what changed, once, in a sentence with what to do: an operator has no use for a
line per acknowledgement.
"""

from collections.abc import Iterable

from edge.decisions import State
from edge.feedback import Notice
from edge.health import Report, ScannerReport
from edge.sync import SyncStatus
from edge.texts import Texts, alarmed, said
from shared.moments import SECOND, span

__all__ = [
    "alarm_of",
    "is_online",
    "of_battery",
    "of_clock",
    "of_scanners",
    "of_sleep",
    "of_storage",
    "of_sync",
]

_FINE = frozenset({State.UP_TO_DATE, State.SENDING})

_NAP = 1.0  # seconds: what is shorter is the clocks' own difference
_LOW = (20, 10, 5)


def is_online(status: SyncStatus) -> bool:
    """Whether the server took the latest request."""
    return status.state in _FINE


def alarm_of(status: SyncStatus, texts: Texts) -> str:
    """Return what a person has to look into, as a sentence; empty where nothing."""
    raised = status.alarm
    return alarmed(raised.kind, raised.names, texts) if raised else ""


def of_sync(before: SyncStatus, after: SyncStatus, texts: Texts) -> list[str]:
    """Return what a change of the way to the server is worth saying."""
    told = []
    if after.alarm != before.alarm:
        told.append(alarm_of(after, texts) or said(Notice.ALARM_OVER, texts))
    waiting = str(after.waiting)
    if not is_online(after) and (before.state, before.problem) != (
        after.state,
        after.problem,
    ):
        state = texts.states[after.state.name.lower()]
        problem = after.problem or state
        told.append(
            said(
                Notice.SERVER_AWAY, texts, state=state, problem=problem, number=waiting
            )
        )
    if is_online(after) and not is_online(before):
        back = Notice.SERVER_BACK_SENDING if after.waiting else Notice.SERVER_BACK
        told.append(said(back, texts, number=waiting))
    return told


def of_storage(before: Report | None, after: Report, texts: Texts) -> list[str]:
    """Return what has become of the outbox and its disk."""
    known = before.storage_notices if before else ()
    was = before.storage_problem if before else ""
    told = [text for text in after.storage_notices if text not in known]
    if after.storage_problem and after.storage_problem != was:
        told.append(after.storage_problem)
    said_ = [said(Notice.STORAGE, texts, problem=text) for text in told]
    if was and not after.storage_problem:
        said_.append(said(Notice.STORAGE_FINE, texts))
    return said_


def of_scanners(
    before: Iterable[ScannerReport], after: Iterable[ScannerReport], texts: Texts
) -> list[str]:
    """Return what has become of the scanners."""
    problems = {scanner.device: scanner.problem for scanner in before}
    told = []
    for scanner in after:
        name, problem = scanner.device, problems.get(scanner.device, "")
        if scanner.problem and scanner.problem != problem:
            told.append(
                said(
                    Notice.SCANNER_PROBLEM, texts, device=name, problem=scanner.problem
                )
            )
        if problem and scanner.connected and not scanner.problem:
            told.append(said(Notice.SCANNER_BACK, texts, device=name))
    return told


def of_clock(before: Report | None, after: Report, texts: Texts) -> list[str]:
    """Return whether the clock has begun or ceased to be right."""
    was = before.clock_synced if before else True
    if was == after.clock_synced:
        return []
    right = Notice.CLOCK_RIGHT if after.clock_synced else Notice.CLOCK_WRONG
    return [said(right, texts)]


def of_sleep(before: Report | None, after: Report, texts: Texts) -> list[str]:
    """Return how long the station slept, and how old what it was told is since."""
    slept = (after.asleep - before.asleep) / SECOND if before else 0.0
    if slept < _NAP:
        return []
    if after.told_age is None:
        return [said(Notice.SLEPT_UNTOLD, texts, span=span(slept))]
    age = span(after.told_age)
    return [said(Notice.SLEPT, texts, span=span(slept), age=age)]


def of_battery(before: Report | None, after: Report, texts: Texts) -> list[str]:
    """Return that the battery has come down so far that it should be charged."""
    battery = after.battery
    if battery is None or battery.charging:
        return []
    known = before.battery if before else None
    was = 100 if known is None or known.charging else known.percent
    if not any(battery.percent <= level < was for level in _LOW):
        return []
    return [said(Notice.BATTERY_LOW, texts, number=str(battery.percent))]
