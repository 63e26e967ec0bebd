"""The time of lines that their clocks do not tell, from their neighbours. Pure."""

from collections.abc import Sequence

from server.timing.when import TOLERANCE, Basis, Span, When, drift
from shared.lines import Line

__all__ = ["guessed"]


def guessed(
    lines: Sequence[Line | None],
    sure: Sequence[When | None],
    before: When | None,
    received: int,
) -> list[When]:
    """Fill in what the clocks alone do not tell, from the neighbours in the log."""
    lowest = before.lo if before is not None else 0
    known = [None if _impossible(when, lowest, received) else when for when in sure]
    found = [when for when in known if when is not None]
    if len(found) == len(known):
        return found
    _by_siblings(lines, known)
    bounds = _bounds(lines, known, lowest, received)
    found = []
    guess: _Guess | None = None
    for line, when, span in zip(lines, known, bounds, strict=True):
        if when is None:
            if guess is None or not guess.covers(line):
                guess = _Guess(line, span, first=lowest == 0)
            when = guess.place(line, span)  # noqa: PLW2901 # it was None
        else:
            lowest = when.lo
        found.append(when)
    return found


def _impossible(when: When | None, lowest: int, received: int) -> bool:
    """Say whether a clock that was held to be synchronised cannot have been."""
    return (
        when is not None
        and when.basis is Basis.SYNCED
        and not (when.hi >= lowest and when.lo <= received)
    )


def _by_siblings(lines: Sequence[Line | None], known: list[When | None]) -> None:
    """Take the time from lines of the same boot whose clock was synchronised."""
    synced: dict[str, list[tuple[int, int]]] = {}
    for line, when in zip(lines, known, strict=True):
        if line and when and when.basis is Basis.SYNCED and line.boot:
            synced.setdefault(line.boot, []).append((line.mono or 0, when.occurred))
    for index, line in enumerate(lines):
        siblings = synced.get(line.boot or "") if line is not None else None
        if known[index] is None and siblings and line is not None:
            mono = line.mono or 0
            theirs, at = min(siblings, key=lambda one: abs(one[0] - mono))
            moment, off = at - (theirs - mono), drift(theirs - mono)
            known[index] = When(
                occurred=moment,
                lo=moment - TOLERANCE - off,
                hi=moment + TOLERANCE + off,
                basis=Basis.GUESS,
            )


def _gap(earlier: Line | None, later: Line | None) -> int:
    """Return the least time between two lines, by the boot clock that both had."""
    if earlier is None or later is None or not later.boot or earlier.boot != later.boot:
        return 0
    passed = max(0, (later.mono or 0) - (earlier.mono or 0))
    return passed - drift(passed)


def _bounds(
    lines: Sequence[Line | None],
    known: Sequence[When | None],
    lowest: int,
    received: int,
) -> list[Span]:
    """Return between what each line happened, by its neighbours that are known."""
    los, his, lo, hi = [], [], lowest, received
    for index, when in enumerate(known):
        if when is None and index and known[index - 1] is None:
            lo += _gap(lines[index - 1], lines[index])
        lo = when.lo if when is not None else lo
        los.append(lo)
    for index in range(len(known) - 1, -1, -1):
        when = known[index]
        if when is None and index + 1 < len(known) and known[index + 1] is None:
            hi -= _gap(lines[index], lines[index + 1])
        hi = when.hi if when is not None else hi
        his.append(hi)
    return [
        Span(min(lo, hi), max(lo, hi))
        for lo, hi in zip(los, reversed(his), strict=True)
    ]


class _Guess:
    """Lines of one boot, moved together to where they can have happened.

    Where their wall clock says something possible it is taken at its word, else they
    are put midway; at the end of it where nothing is before them.
    """

    def __init__(self, line: Line | None, span: Span, *, first: bool) -> None:
        self._boot = line.boot if line is not None else None
        self._mono = (line.mono if line is not None else None) or 0
        midway = span.hi if first else (span.lo + span.hi) // 2
        at = line.moment if line is not None else midway
        self._moment = at if span.lo <= at <= span.hi else midway

    def covers(self, line: Line | None) -> bool:
        """Whether a line is of the same boot."""
        return line is not None and bool(line.boot) and line.boot == self._boot

    def place(self, line: Line | None, span: Span) -> When:
        """Say when a line of the boot happened."""
        mono = (line.mono if line is not None else None) or 0
        moment = self._moment + mono - self._mono
        occurred = max(span.lo, min(span.hi, moment))
        return When(occurred=occurred, lo=span.lo, hi=span.hi, basis=Basis.GUESS)
