"""Which code of the sheet is this, and how does it differ from it? Pure."""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import NamedTuple

import msgspec

from edge.doctor import Area, Finding, Severity
from edge.terminal_display import clean
from shared.aim import identify
from shared.selftest import PROBES

__all__ = [
    "GS",
    "Match",
    "found",
    "of_identifiers",
    "of_separator",
    "of_sheet",
    "recognise",
    "still_to_scan",
]

GS = "\x1d"
_AROUND, _INSTEAD = 32, 8  # characters that a scanner may add, or send instead of GS
_LONGEST = 48


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """A code of the sheet, as it came.

    Attributes:
        number: Its place on the sheet, from 1.
        identified: Whether its AIM identifier came with it.
        before: What came before it.
        after: What came behind it.
        separator: What came for GS; ``GS`` where the code has none.
        swapped: Whether upper and lower case are exchanged.
    """

    number: int
    identified: bool
    before: str = ""
    after: str = ""
    separator: str = GS
    swapped: bool = False

    @property
    def exact(self) -> bool:
        """Whether it came just as it is, with or without its identifier."""
        return not (self.before or self.after or self.swapped) and self.separator == GS


def found(severity: Severity, text: str, do: str = "") -> Finding:
    """Return a finding about the scanner."""
    return Finding(area=Area.SCANNERS, severity=severity, text=text, do=do)


class _Row(NamedTuple):
    """One way in which a code of the sheet may come."""

    number: int
    identified: bool
    swapped: bool
    pattern: re.Pattern[str]


def recognise(text: str) -> Match | None:
    """Return the code of the sheet that a text is nearest to, if it is one."""
    matches = (_match(text, row) for row in _rows())
    return min((one for one in matches if one), key=_strangeness, default=None)


def _strangeness(match: Match) -> tuple[bool, int, bool]:
    around = len(match.before) + len(match.after)
    return match.swapped, around, not match.identified


@cache
def _rows() -> tuple[_Row, ...]:
    return tuple(
        _Row(number, identified, swapped, _pattern(text, swapped=swapped))
        for number, probe in enumerate(PROBES, 1)
        for identified, text in ((True, probe.raw), (False, probe.data))
        for swapped in (False, True)
    )


def _pattern(text: str, *, swapped: bool) -> re.Pattern[str]:
    wanted = re.escape(text.swapcase() if swapped else text)
    wanted = wanted.replace(re.escape(GS), f"(?P<gs>.{{0,{_INSTEAD}}}?)")
    around = f".{{0,{_AROUND}}}?"
    return re.compile(
        f"(?P<before>{around}){wanted}(?P<after>{around})", re.DOTALL | re.ASCII
    )


def _match(text: str, row: _Row) -> Match | None:
    match = row.pattern.fullmatch(text)
    if match is None:
        return None
    return Match(
        number=row.number,
        identified=row.identified,
        before=match["before"],
        after=match["after"],
        separator=match.groupdict().get("gs", GS),
        swapped=row.swapped,
    )


# --- what every kind of scanner is asked ----------------------------------------------


def still_to_scan(matches: Iterable[Match]) -> tuple[int, ...]:
    """Return the numbers that did not come yet.

    Without identifiers, codes of the same data cannot be told apart: one is enough.
    """
    seen = {(match.number, match.identified) for match in matches}
    bare = {PROBES[number - 1].data for number, identified in seen if not identified}
    numbers = {number for number, _ in seen}
    return tuple(
        number
        for number, probe in enumerate(PROBES, 1)
        if number not in numbers and probe.data not in bare
    )


def of_sheet(matches: Sequence[Match], others: Iterable[str]) -> Iterator[Finding]:
    """Say which codes came, and which did not yet."""
    rest = still_to_scan(matches)
    if not rest:
        yield found(Severity.FINE, "all codes of the sheet were recognised")
    else:
        yield found(
            Severity.NOTE,
            f"{len(PROBES) - len(rest)} of {len(PROBES)} codes of the sheet came",
            f"scan the others: {', '.join(map(str, rest))}",
        )
    for text in sorted(set(others)):
        yield found(
            Severity.NOTE,
            f"not of the sheet, or not readable: {clean(text, _LONGEST)}",
        )


def of_identifiers(matches: Iterable[Match]) -> Iterator[Finding]:
    """Say whether AIM identifiers come, and the right ones."""
    told = list(matches)
    bare = sorted({match.number for match in told if not match.identified})
    wrong = {
        match.before[-3:]: match.number
        for match in told
        if not match.identified and identify(match.before[-3:])[0]
    }
    for sent, number in wrong.items():
        yield found(
            Severity.WARNING,
            f"code {number} says {sent}, and is {PROBES[number - 1].raw[:3]}",
            "switch on GS1-128 and the GS1 formats in the scanner",
        )
    if bare and not wrong:
        which = "" if len(bare) == len({m.number for m in told}) else f" with {bare}"
        yield found(
            Severity.WARNING,
            f"no AIM identifiers come{which}: 96385074 may be a product or a GS1 field",
            "switch on 'AIM identifiers' (symbology identifiers, transmit code ID)",
        )
    if told and not bare:
        yield found(Severity.FINE, "AIM identifiers come with the codes")


def of_separator(matches: Iterable[Match]) -> Iterator[Finding]:
    """Say what became of GS."""
    forms = {match.separator for match in matches if match.number in _WITH_GS}
    for form in sorted(forms):
        if form == GS:
            yield found(Severity.FINE, "the GS1 separator arrives")
            continue
        how = f"arrives as {clean(form)}" if form else "does not arrive"
        yield found(
            Severity.WRONG,
            f"the GS1 separator {how}, so that fields run into one another",
            "have the scanner send FNC1 (GS1 separator) as GS, ASCII 29",
        )


_WITH_GS = {number for number, probe in enumerate(PROBES, 1) if GS in probe.raw}
