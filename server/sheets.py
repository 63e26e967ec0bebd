"""Tables that people bring: CSV or JSON, read into rows of text. Pure.

A mistake is told by its row, counted as a spreadsheet does: the head is row 1.
"""

import csv
import io
from collections.abc import Mapping
from difflib import get_close_matches
from itertools import islice

import msgspec

from shared.api.imports import RowError

__all__ = ["ENCODINGS", "MAX_CELL", "MAX_ROWS", "Row", "Table", "from_csv", "from_json"]

MAX_ROWS = 100_000
MAX_CELL = 1000
"""Characters of one cell, at most."""

ENCODINGS = ("utf-8", "utf-16", "cp1252", "latin-1")
_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_TOO_MANY = f"more than {MAX_ROWS} rows; bring them in parts"
_DELIMITERS = ",;\t"

Names = Mapping[str, str]
"""What a column may be called in a file, in lower case, and what it is."""


class Row(msgspec.Struct, frozen=True):
    """One row's cells by column, those that are not empty; ``number`` is its row."""

    number: int
    cells: dict[str, str]


class Table(msgspec.Struct, frozen=True):
    """The rows that could be read, and what is wrong with the others."""

    rows: list[Row]
    errors: list[RowError]


def _refused(number: int, text: str) -> Table:
    return Table([], [RowError(row=number, text=text)])


def from_csv(data: bytes, names: Names, encoding: str = "utf-8") -> Table:
    """Read a CSV file whose first row names the columns.

    Separated by commas, semicolons or tabs, as its head shows; in ``encoding``, unless
    it begins with a byte order mark.
    """
    found = next((e for mark, e in _MARKS.items() if data.startswith(mark)), encoding)
    try:
        text = data.decode(found)
    except UnicodeDecodeError as error:
        number = data.count(b"\n", 0, error.start) + 1
        hint = "save it as CSV UTF-8, or name its encoding"
        return _refused(number, f"this is not {found}; {hint}")
    head = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        rows = list(islice(enumerate(reader, 1), MAX_ROWS + 2))
    except csv.Error as error:
        return _refused(reader.line_num, f"this is no CSV: {error}")
    if len(rows) > MAX_ROWS + 1:
        return _refused(len(rows), _TOO_MANY)
    return _read(rows, names)


def _read(rows: list[tuple[int, list[str]]], names: Names) -> Table:
    if not rows:
        return _refused(1, "the file is empty; its first row has to name the columns")
    columns, wrong = _columns(rows[0][1], names)
    if wrong:
        return Table([], [RowError(row=1, text=text) for text in wrong])
    table = Table([], [])
    for number, cells in rows[1:]:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) > len(columns):
            text = f"{len(cells)} cells, and {len(columns)} columns have a name"
            table.errors.append(RowError(row=number, text=text))
        else:
            _add(table, number, dict(zip(columns, cells, strict=False)))
    return table


def _columns(head: list[str], names: Names) -> tuple[list[str], list[str]]:
    columns, wrong = [], []
    for cell in head:
        name = " ".join(cell.strip().lower().replace("_", " ").split())
        if name not in names:
            near = get_close_matches(name, names, n=1)
            known = f"do you mean {near[0]!r}?" if near else f"there are: {_all(names)}"
            wrong.append(f"no column is called {cell[:40]!r}; {known}")
        columns.append(names.get(name, ""))
    twice = {name for name in columns if name and columns.count(name) > 1}
    wrong += [f"two columns are the {name}" for name in sorted(twice)]
    return columns, wrong


def _all(names: Names) -> str:
    return ", ".join(dict.fromkeys(names.values()))


def _add(table: Table, number: int, cells: Mapping[str, str]) -> None:
    said = {name: cell.strip() for name, cell in cells.items() if cell.strip()}
    wrong = [text for name, cell in said.items() if (text := _wrong(name, cell))]
    if wrong:
        table.errors.extend(RowError(row=number, text=text) for text in wrong)
    else:
        table.rows.append(Row(number, said))


def _wrong(name: str, cell: str) -> str | None:
    if len(cell) > MAX_CELL:
        return f"{name}: {len(cell)} characters; the most is {MAX_CELL}"
    if not all(c.isprintable() or c == "\x1d" for c in cell):
        return f"{name}: there is a character in it that cannot be printed"
    return None


_JSON = msgspec.json.Decoder(list[dict[str, str | int | float | bool | None]])


def from_json(data: bytes, names: Names) -> Table:
    """Read a JSON list of objects; its rows count from 1."""
    try:
        objects = _JSON.decode(data)
    except (ValueError, RecursionError) as error:
        return _refused(0, f"this is no list of flat JSON objects: {error}")
    if len(objects) > MAX_ROWS:
        return _refused(len(objects), _TOO_MANY)
    table = Table([], [])
    for number, one in enumerate(objects, 1):
        columns, wrong = _columns(list(one), names)
        table.errors.extend(RowError(row=number, text=text) for text in wrong)
        if not wrong:
            cells = map(_text, one.values())
            _add(table, number, dict(zip(columns, cells, strict=True)))
    return table


def _text(value: object) -> str:
    words = {None: "", True: "yes", False: "no"}
    if value is None or isinstance(value, bool):
        return words[value]
    return str(value)
