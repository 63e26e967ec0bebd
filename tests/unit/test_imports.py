"""Tables that people bring: a row is right, or is told by its number."""

import pytest

from server.imports import KINDS, Change, plan, understood
from server.sheets import MAX_ROWS, Table, from_csv, from_json
from server.store import Said
from shared.api.imports import RowError


def _csv(kind: str, text: str | bytes, encoding: str = "utf-8") -> Table:
    data = text.encode() if isinstance(text, str) else text
    return from_csv(data, KINDS[kind].names, encoding)


def _brought(kind: str, text: str) -> tuple[list[Change], list[RowError]]:
    table = _csv(kind, text)
    assert table.errors == []
    return understood(KINDS[kind], table, by="eva")


def _said(changes: list[Change]) -> list[Said]:
    return [
        Said(key=change.key, line=change.line, occurred=1, event="log:1")
        for change in changes
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_takes_its_own_columns_and_the_same_table_changes_nothing_again(
    kind: str,
) -> None:
    columns = list(dict.fromkeys(KINDS[kind].names.values()))
    values = {"x": "1.5", "y": "2", "w": "3", "h": "4", "ended": "no", "load": "M-1"}
    head = ",".join(columns)
    row = ",".join(values.get(name, f"P-{name}") for name in columns)
    changes, wrong = _brought(kind, f"{head}\n{row}\n")
    assert wrong == []
    assert [change.number for change in changes] == [2]
    assert plan(KINDS[kind], changes, []).new == 1
    again = plan(KINDS[kind], changes, _said(changes))
    assert (again.changes, again.same) == ([], 1)


def test_what_differs_is_shown_with_what_was_there() -> None:
    kind = KINDS["locations"]
    before, _ = _brought("locations", "location,name\nA-1,Shelf\n")
    after, _ = _brought("locations", "Location;Name;X\nL-A-1;Shelf one;2,5\n")
    planned = plan(kind, after, _said(before))
    (shown,) = planned.shown
    assert (planned.new, shown.key, shown.row) == (0, "A-1", 2)
    assert shown.before == {"title": "Shelf"}
    assert shown.after == {"title": "Shelf one", "x": "2.5"}


def test_keys_are_written_as_a_scan_would_give_them() -> None:
    text = "item,load\np-1,m-7\n]C100340123450000000017,M-7\n"
    changes, _ = _brought("expect", text)
    assert [c.key for c in changes] == ["P-1", "(00)340123450000000017"]
    assert {c.line.container for c in changes} == {"M-7"}


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("\ufeffitem\ttitle\nP-1\tRöhre\n".encode(), "utf-8"),
        ("item;title\r\nP-1;Röhre\r\n".encode("cp1252"), "cp1252"),
        ("item,title\nP-1,Röhre\n".encode("utf-16"), "utf-8"),
        ('item,title\n"P-1","Röhre"\n\n\n'.encode(), "utf-8"),
    ],
)
def test_a_file_may_come_as_spreadsheets_write_it(text: bytes, encoding: str) -> None:
    table = _csv("titles", text, encoding)
    assert [row.cells for row in table.rows] == [{"item": "P-1", "title": "Röhre"}]


@pytest.mark.parametrize(
    ("kind", "text", "row", "says"),
    [
        ("titles", "", 1, "empty"),
        ("titles", "item,titel\nP-1,x\n", 1, "do you mean 'title'"),
        ("titles", "item,id\nP-1,x\n", 1, "two columns are the item"),
        ("titles", "item,title\nP-1,x,y\n", 2, "3 cells"),
        ("titles", "item,title\nP-1,a\x1b[31m\n", 2, "cannot be printed"),
        ("titles", f"item,title\nP-1,{'x' * 1001}\n", 2, "the most is 1000"),
        ("titles", 'item,title\nP-1,"x\n', 2, "no CSV"),
        ("titles", b"item,title\nP-1,R\xf6hre\n", 2, "not utf-8"),
        ("titles", "item,title\n" + "P-1,x\n" * (MAX_ROWS + 1), 100002, "more than"),
    ],
)
def test_what_cannot_be_read_is_told_by_its_row(
    kind: str, text: str | bytes, row: int, says: str
) -> None:
    (error,) = _csv(kind, text).errors
    assert error.row == row
    assert says in error.text


@pytest.mark.parametrize(
    ("kind", "text", "row", "says"),
    [
        ("titles", "item,title\n,x\n", 2, "item missing"),
        ("titles", "item,title\nP-1,x\nP-1,y\n", 3, "stands in row 2"),
        ("locations", "location,x\nA,wide\n", 2, "expected a number"),
        ("locations", "location,x\nA,inf\n", 2, "expected a number"),
        ("locations", "location,ended\nA,maybe\n", 2, "yes or no"),
        ("expect", "item,load\nM-1,m-1\n", 2, "on itself"),
    ],
)
def test_what_makes_no_sense_is_told_by_its_row(
    kind: str, text: str, row: int, says: str
) -> None:
    _, (error,) = _brought(kind, text)
    assert error.row == row
    assert says in error.text


def test_a_row_that_is_there_twice_says_it_once() -> None:
    changes, wrong = _brought("titles", "item,title\nP-1,x\nP-1,x\n")
    assert (len(changes), wrong) == (1, [])


def test_json_is_taken_like_csv() -> None:
    names = KINDS["locations"].names
    table = from_json(b'[{"location": "A", "x": 1.5, "ended": true}]', names)
    assert [row.cells for row in table.rows] == [
        {"location": "A", "x": "1.5", "ended": "yes"}
    ]
    for bad in (b"{}", b"[[]]", b'[{"x": {}}]', b"[" * 9000, b'["\xff"]'):
        assert from_json(bad, names).errors
    assert from_json(b'[{"where": "A"}]', names).errors[0].row == 1
