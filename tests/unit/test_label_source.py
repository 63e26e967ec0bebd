from pathlib import Path

import pytest

from server.client.label_source import (
    KINDS,
    LABELS,
    checked,
    command_labels,
    counted,
    from_csv,
)
from server.client.sheets import Label
from shared.commands import COMMANDS
from shared.errors import StartError
from shared.keys import Kind, parse


def codes(kind: str, *given: str) -> list[str]:
    return [label.code for label in checked(map(Label, given), KINDS[kind])]


def test_counting_fills_up_with_zeros_and_puts_the_letter_in_front() -> None:
    labels = checked(counted("A-", 9, 2, 3), KINDS["locations"])
    assert [label.code for label in labels] == ["L-A-009", "L-A-010"]


def test_a_letter_that_is_there_already_is_not_doubled() -> None:
    assert codes("parcels", "P-1", "2", "p-3") == ["P-1", "P-2", "P-3"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_reads_back_as_what_it_is_for(kind: str) -> None:
    sort = KINDS[kind]
    key = parse(codes(kind, "A.1")[0])
    assert (key.kind, key.role) == (sort.kind, sort.role)


@pytest.mark.parametrize("code", ["A B", "A_B", "Ä", "A\x1dB", "", "A" * 129, "<b>"])
def test_a_code_that_no_station_would_read_back_is_not_printed(code: str) -> None:
    with pytest.raises(StartError, match="A to Z"):
        codes("parcels", code)


def test_two_labels_of_one_code_are_refused() -> None:
    with pytest.raises(StartError, match="P-A cannot be printed"):
        codes("parcels", "a", "P-A")


@pytest.mark.parametrize("count", [0, LABELS + 1, 10**12 - 1])
def test_no_labels_or_too_many_are_refused(count: int) -> None:
    with pytest.raises(StartError, match="from 1 to"):
        checked(counted("", 1, count, 12), KINDS["parcels"])


def test_the_command_sheet_has_every_command_with_its_title() -> None:
    labels = checked(command_labels(), KINDS["commands"])
    keys = [parse(label.code) for label in labels]
    assert {key.kind for key in keys} == {Kind.COMMAND}
    assert {key.text: label.title for key, label in zip(keys, labels, strict=True)} == (
        dict(COMMANDS)
    )


def test_a_csv_file_gives_codes_and_texts(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text(
        'code,text\nA-1,"Shelf ""A"", <b>left</b>"\n\nA-2\n"A-3",two,more\n',
        encoding="utf-8-sig",
    )
    read = [(label.code, label.title) for label in from_csv(file)]
    assert read == [("A-1", 'Shelf "A", <b>left</b>'), ("A-2", ""), ("A-3", "two more")]


@pytest.mark.parametrize(
    ("content", "labels"),
    [
        ("location,name,kind,x\nA-1,Shelf,rack,3\n", [("A-1", "Shelf")]),
        ("Name;Badge\n", [("Name;Badge", "")]),
        ("Name,Badge\nAna,B-ANA\n", [("B-ANA", "Ana")]),
        ("P-1,Ring\n", [("P-1", "Ring")]),
    ],
)
def test_a_table_that_was_imported_prints_by_its_heading(
    tmp_path: Path, content: str, labels: list[tuple[str, str]]
) -> None:
    file = tmp_path / "a.csv"
    file.write_text(content)
    assert [(label.code, label.title) for label in from_csv(file)] == labels


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\xff\xfe", "no CSV in UTF-8"),
        (b'"A', "no CSV"),
        (b"A-1,\x1b[2J", "row 1"),
        (b"A-1,x\nA-2," + b"y" * 81, "row 2"),
        (b",text", "needs a code"),
        (b"a" * 4_200_000, "larger than 4 MiB"),
        (None, "No such file"),
    ],
)
def test_a_file_that_is_not_like_that_is_named_with_its_row(
    tmp_path: Path, content: bytes | None, says: str
) -> None:
    file = tmp_path / "a.csv"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(StartError, match=says) as raised:
        from_csv(file)
    assert "a.csv" in str(raised.value)


def test_commands_of_a_sites_own_sheet_end_with_its_word() -> None:
    labels = checked(command_labels("K7Q2"), KINDS["commands"])
    assert "X-PICK.K7Q2" in {label.code for label in labels}
    assert len(labels) == len(COMMANDS)
    with pytest.raises(StartError, match="cannot be printed"):
        checked(command_labels("a b"), KINDS["commands"])
