"""What a station says by itself, between two scans. Pure.

Only what changed, once, in a sentence with what to do: an operator has no use for a
line per acknowledgement.
"""

from collections.abc import Iterable

from edge.decisions import State
from edge.health import Report, ScannerReport
from edge.sync import SyncStatus

__all__ = ["is_online", "of_clock", "of_scanners", "of_sync"]

_FINE = frozenset({State.UP_TO_DATE, State.SENDING})


def is_online(status: SyncStatus) -> bool:
    """Whether the server took the latest request."""
    return status.state in _FINE


def of_sync(before: SyncStatus, after: SyncStatus) -> list[str]:
    """Return what a change of the way to the server is worth saying."""
    said = [after.alarm] if after.alarm != before.alarm else []
    if not is_online(after) and (before.state, before.problem) != (
        after.state,
        after.problem,
    ):
        waiting = f"{after.waiting} waiting, safe here"
        said.append(f"{after.problem or after.state.value} ({waiting})")
    if is_online(after) and not is_online(before):
        rest = f"; {after.waiting} waiting are being sent" if after.waiting else ""
        said.append(f"the server is back{rest}")
    return said


def of_scanners(
    before: Iterable[ScannerReport], after: Iterable[ScannerReport]
) -> list[str]:
    """Return what has become of the scanners."""
    problems = {scanner.device: scanner.problem for scanner in before}
    said = []
    for scanner in after:
        problem = problems.get(scanner.device, "")
        if scanner.problem and scanner.problem != problem:
            said.append(f"scanner {scanner.device}: {scanner.problem}")
        if problem and scanner.connected and not scanner.problem:
            said.append(f"scanner {scanner.device} is back")
    return said


def of_clock(before: Report | None, after: Report) -> list[str]:
    """Return whether the clock has begun or ceased to be right."""
    was = before.clock_synced if before else True
    if was == after.clock_synced:
        return []
    if after.clock_synced:
        return ["this machine's clock is synchronised"]
    return ["this machine's clock is not synchronised; the server corrects its times"]
