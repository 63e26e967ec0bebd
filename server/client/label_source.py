"""Which labels to print: counted, from a CSV file, or a station's commands.

A code is printed only if a station would read it back as what it is meant to be.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from types import MappingProxyType

import msgspec

from server.client.sheets import Label
from shared.commands import COMMANDS
from shared.errors import StartError
from shared.keys import Kind, Role, parse

__all__ = [
    "KINDS",
    "LABELS",
    "Sort",
    "checked",
    "command_labels",
    "counted",
    "from_csv",
    "from_text",
]

LABELS = 10_000
"""Labels in one go, at most."""
_LONGEST_TITLE = 80
_LARGEST_FILE = 4 * 1024 * 1024
_CODES = frozenset(
    {"code", "label", "barcode", "id", "item", "package", "parcel", "container"}
    | {"load", "location", "place", "operator", "badge"}
)
_TEXTS = frozenset({"text", "title", "name"})
"""What columns are called in a heading: those of tables to import, too."""


class Sort(msgspec.Struct, frozen=True):
    """What is printed: the letter that begins its codes, and how they must read."""

    letter: str
    kind: Kind
    role: Role = Role.UNSAID


KINDS: Mapping[str, Sort] = MappingProxyType(
    {
        "locations": Sort("L", Kind.LOCATION),
        "badges": Sort("B", Kind.OPERATOR),
        "containers": Sort("C", Kind.ITEM, Role.CONTAINER),
        "parcels": Sort("P", Kind.ITEM, Role.PARCEL),
        "loads": Sort("M", Kind.ITEM, Role.LOAD),
        "commands": Sort("X", Kind.COMMAND),
    }
)


def counted(prefix: str, first: int, count: int, digits: int) -> Iterator[Label]:
    """Count: ``A-``, 7, 2, 3 gives ``A-007`` and ``A-008``."""
    for number in range(first, first + count):
        yield Label(f"{prefix}{number:0{digits}d}")


def command_labels(sheet: str = "") -> Iterator[Label]:
    """Give the commands of a station; ``sheet`` is the word that they end with."""
    for name, title in COMMANDS.items():
        yield Label(f"{name}.{sheet}" if sheet else name, title)


def from_csv(path: Path) -> list[Label]:
    """Read ``code,text`` rows, in UTF-8; a first row that names columns is a heading.

    Behind a heading, the code and the text are in the columns called so, as in the
    tables that are imported.

    Raises:
        StartError: There is no such file, or a row is not like that.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            text = file.read(_LARGEST_FILE + 1)
    except OSError as error:
        raise _cannot(str(path), 0, str(error.strerror)) from error
    except UnicodeDecodeError as error:
        raise _cannot(str(path), 0, f"it is no CSV in UTF-8 ({error})") from error
    return from_text(text, str(path))


def from_text(text: str, called: str) -> list[Label]:
    """Read such rows from a text; ``called`` is what errors call it.

    Raises:
        StartError: A row is not like that.
    """
    if len(text) > _LARGEST_FILE:
        raise _cannot(called, 0, "it is larger than 4 MiB")
    try:
        rows = list(islice(csv.reader(text.splitlines(), strict=True), LABELS + 2))
    except csv.Error as error:
        raise _cannot(called, 0, f"it is no CSV ({error})") from error
    head = [cell.strip().lower().replace("_", " ") for cell in rows[0]] if rows else []
    headed = bool(_CODES & set(head))
    return [
        _row(called, number, _picked(head, row) if headed else row)
        for number, row in enumerate(rows, 1)
        if any(row) and not (headed and number == 1)
    ]


def _picked(head: list[str], row: list[str]) -> list[str]:
    """Return a row's code, and what its heading calls a text or does not name."""
    code = next(at for at, name in enumerate(head) if name in _CODES)
    texts = [
        cell
        for at, cell in enumerate(row)
        if at >= len(head) or (at != code and head[at] in _TEXTS)
    ]
    return [*row[code : code + 1], *texts] if code < len(row) else [""]


def _row(called: str, number: int, row: list[str]) -> Label:
    code, title = row[0].strip(), " ".join(" ".join(row[1:]).split())
    if not code or len(title) > _LONGEST_TITLE or not title.isprintable():
        reason = f"it needs a code, and a text of at most {_LONGEST_TITLE} letters"
        raise _cannot(called, number, reason)
    return Label(code, title)


def checked(labels: Iterable[Label], sort: Sort) -> list[Label]:
    """Return the labels with whole codes, in the order given.

    Raises:
        StartError: There are none, too many, two of one code, or one that a station
            would not read as this sort.
    """
    whole: dict[str, Label] = {}
    for label in islice(labels, LABELS + 1):
        code = _whole(label.code, sort)
        if code in whole:
            reason = "it is there twice, and two things cannot share a code"
            raise _wrong(code, reason)
        whole[code] = Label(code, label.title)
    if not 0 < len(whole) <= LABELS:
        reason = f"There must be from 1 to {LABELS} labels."
        raise StartError(reason)
    return list(whole.values())


def _whole(code: str, sort: Sort) -> str:
    start = f"{sort.letter}-"
    code = code.upper()
    whole = code if code.startswith(start) else start + code
    key = parse(whole)
    if (key.kind, key.role) != (sort.kind, sort.role):
        reason = "its code may have A to Z, 0 to 9, minus and dot"
        raise _wrong(repr(whole), reason)
    return whole


def _wrong(what: str, reason: str) -> StartError:
    text = f"{what} cannot be printed: {reason}."
    return StartError(text)


def _cannot(called: str, row: int, reason: str) -> StartError:
    where = f"{called}, row {row}" if row else called
    text = f"{where} cannot be used: {reason}."
    return StartError(text)
