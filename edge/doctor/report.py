"""Findings as text for a terminal, or as JSON for a program. Pure."""

import textwrap
from collections.abc import Iterator, Sequence

import msgspec

from edge.doctor import Area, Finding, Severity, is_wrong
from edge.terminal_display import clean

__all__ = ["in_json", "in_words"]

_WIDTH = 79
_LONGEST = 1000
_WORD = 9
_MARK = "-> "


def in_words(findings: Sequence[Finding]) -> list[str]:
    """Return the report as lines of 79 characters, as far as they can be broken."""
    lines: list[str] = []
    for area in Area:
        mine = [finding for finding in findings if finding.area is area]
        if mine:
            lines += [area.value, *(line for one in mine for line in _lines(one)), ""]
    return [*lines, _summary(findings)]


def _lines(finding: Finding) -> Iterator[str]:
    indent = " " * (2 + _WORD)
    first = f"  {finding.severity.value:<{_WORD}}"
    yield from _wrapped(finding.text, first, indent)
    below = indent + " " * len(_MARK)
    for number, step in enumerate(finding.do.splitlines()):
        yield from _wrapped(step, below if number else indent + _MARK, below)


def _wrapped(text: str, first: str, rest: str) -> list[str]:
    return textwrap.wrap(
        clean(text, _LONGEST),
        _WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _summary(findings: Sequence[Finding]) -> str:
    wrong = sum(finding.severity is Severity.WRONG for finding in findings)
    warned = sum(finding.severity is Severity.WARNING for finding in findings)
    if not wrong and not warned:
        return "nothing is wrong"
    return f"wrong: {wrong}, to be looked at: {warned}"


def in_json(findings: Sequence[Finding]) -> str:
    """Return the report as one JSON object."""
    found = {"fine": not any(map(is_wrong, findings)), "findings": findings}
    return msgspec.json.encode(found).decode()
