"""Keys of tables that no label can give are told, with what a label would give."""

import msgspec
import pytest

from server.imports import KINDS, doubtful, understood
from server.legible import doubts
from server.sheets import from_csv
from shared.hosts import HostLine


def said(**fields: object) -> list[str]:
    return doubts(
        msgspec.convert({"seq": 1, "at": "", "action": "note", **fields}, HostLine)
    )


@pytest.mark.parametrize(
    "fields",
    [
        {"operator": "B-CARL"},
        {"location": "A-01-02"},
        {"location": "(414)9521321000018"},
        {"item": "P-1"},
        {"item": "(00)340123450000000017", "container": "M-7"},
        {"item": "1Z999AA10123456784"},
        {"item": "M-7", "kind": "load"},
    ],
)
def test_what_a_label_gives_is_not_doubted(fields: dict[str, str]) -> None:
    assert said(**fields) == []


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"operator": "CARL"}, "a label B-CARL reads as B-CARL"),
        ({"operator": "Carl Ott"}, "a label B-CARL-OTT reads as B-CARL-OTT"),
        ({"operator": "P-1"}, "another kind: item"),
        ({"location": "Rack 7"}, "a label L-RACK-7 reads as RACK-7"),
        ({"location": "äöü"}, "a code has A to Z"),
        ({"item": "4711"}, "labels.patterns"),
        ({"item": "4711"}, "a label P-4711 reads as P-4711"),
        ({"item": "9521234543213"}, "names a product"),
        ({"item": "P-1", "container": "TRUCK 7"}, "a label M-TRUCK-7"),
        ({"item": "7", "kind": "load"}, "a label M-7 reads as M-7"),
    ],
)
def test_a_key_that_no_label_gives_is_told(fields: dict[str, str], words: str) -> None:
    (text,) = said(**fields)
    assert words in text


def test_each_such_row_of_a_table_has_a_warning_and_is_taken_all_the_same() -> None:
    kind = KINDS["operators"]
    table = from_csv(b"operator,name\nB-ANA,Ana\nCARL,Carl\n", kind.names)
    changes, wrong = understood(kind, table, by="eva")
    assert (len(changes), wrong) == (2, [])
    (warning,) = doubtful(changes)
    assert warning.row == 3
