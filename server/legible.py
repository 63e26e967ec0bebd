"""Whether a key of a table is one that a scan of a label can give. Pure.

A host system may call a person ``CARL``; his badge says ``B-CARL``, and its scan gives
just that. The two never meet, and nothing else would say so.
"""

import re

from shared.hosts import LOAD, HostLine
from shared.keys import Kind, parse

__all__ = ["doubts"]

_CALLED = {Kind.ITEM: "item", Kind.LOCATION: "place", Kind.OPERATOR: "badge"}
_OTHER = re.compile(r"[^A-Z0-9.\-]+")
_RULE = "a code has A to Z, 0 to 9, minus and dot"
_PATTERNS = ", unless the stations have a pattern for it (labels.patterns)"


def doubts(line: HostLine) -> list[str]:
    """Say of each key of a line that no label reads as it what one would read as."""
    is_load = line.kind == LOAD
    keys = (
        (line.item, Kind.ITEM, "M" if is_load else "P"),
        (line.container, Kind.ITEM, "M"),
        (line.location, Kind.LOCATION, "L"),
        (line.operator, Kind.OPERATOR, "B"),
    )
    found = (_doubt(key, kind, letter) for key, kind, letter in keys if key)
    return [text for text in found if text]


def _doubt(key: str, kind: Kind, letter: str) -> str:
    read = parse(key)
    if (read.kind, read.text) == (kind, key):
        return ""
    if kind is Kind.LOCATION and parse(f"L-{key}").text == key:
        return ""
    if read.kind is Kind.REFUSED:
        return f"{key[:40]!r} is read, and refused: {read.reason}"
    other = (
        f"; it reads as another kind: {_CALLED[read.kind]}"
        if read.kind in _CALLED
        else ""
    )
    known = _PATTERNS if kind is Kind.ITEM and read.kind is Kind.UNKNOWN else ""
    what = _CALLED[kind]
    return (
        f"no label reads as the {what} {key[:40]!r}{other}{known}: {_hint(key, letter)}"
    )


def _hint(key: str, letter: str) -> str:
    """Say what a label of ours would say instead, and what its scan gives."""
    label = f"{letter}-{_OTHER.sub('-', key.upper()).strip('-')}"
    read = parse(label)
    if read.kind is Kind.UNKNOWN:
        return _RULE
    return f"a label {label} reads as {read.text}; write that here"
