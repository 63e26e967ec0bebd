"""Files of archived lines: what is in them, and what is said of them."""

import argparse
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pyarrow.parquet
import pytest

from server.archive_command import add_commands
from server.problems import ProblemError
from server.store import Entry
from server.store.archive import Archive
from server.store.archive_files import ArchiveFile, bring, hashed
from server.store.parquet import ROWS, Signed, Writer
from shared.lines import Line, encode
from shared.moments import SECOND, to_text

LOG = "00000000-0000-4000-8000-000000000001"
AT = 1_777_000_000 * SECOND
NAME = "2026-04-000000000000001.parquet"


def entry(position: int, line: bytes = b"", quarantined: str | None = None) -> Entry:
    made = Line(
        seq=position,
        at=to_text(AT),
        action="store",
        item=f"P-{position}",
        location="A\0\U0001f4e6",
        operator="B-1",
    )
    return Entry(
        position=position,
        event=f"{LOG}:{position}",
        station="DOCK-1",
        occurred=AT + position,
        lo=AT,
        hi=AT + 9_999,
        received=AT + 10_000,
        quarantined=quarantined,
        line=line or encode(made),
    )


def written(folder: Path, entries: list[Entry]) -> ArchiveFile:
    path = folder / NAME
    with path.open("wb") as file:
        writer = Writer(file, {"format": "test"})
        for one in entries:
            writer.add(one, None)
        writer.close()
    return ArchiveFile(
        name=NAME,
        first=entries[0].position,
        last=entries[-1].position,
        lines=len(entries),
        size=path.stat().st_size,
        sha256=hashed(path),
        taken=entries[-1].position,
    )


def test_other_programs_read_what_was_scanned_where_and_when(tmp_path: Path) -> None:
    odd = entry(3, b"\xff no line", "it is none")
    written(tmp_path, [entry(1), entry(2), odd])
    rows = pyarrow.parquet.read_table(tmp_path / NAME).to_pylist()
    first, _, last = rows
    assert (first["log"], first["seq"], first["station"]) == (LOG, 1, "DOCK-1")
    assert (first["action"], first["item"]) == ("store", "P-1")
    assert (first["location"], first["operator"]) == ("A\0\U0001f4e6", "B-1")
    assert first["occurred"] == datetime(2026, 4, 24, 3, 6, 40, 1, UTC)
    assert first["line"] == entry(1).line
    assert (last["item"], last["quarantined"]) == (None, "it is none")
    assert last["line"] == b"\xff no line"


def test_other_programs_see_what_was_taken_back_counted_and_sent_by_scanners(
    tmp_path: Path,
) -> None:
    at = to_text(AT)
    lines = [
        Line(
            seq=1,
            at=at,
            action="load",
            item="P-1",
            location="L-1",
            raw="]C1P-1\x1d",
            symbology="]C1",
            device="gun",
        ),
        Line(seq=2, at=at, action="load", item="P-2", location="L-1", giver="B-2"),
        Line(seq=3, at=at, action="void", voids=f"{LOG}:1", reason="wrong lorry"),
        Line(seq=4, at=at, action="count", location="A", items=("P-1", "P-2")),
        Line(seq=5, at=at, action="note", item="P-2", title="Piano", text="heavy"),
        Line(seq=6, at=at, action="claim", item="P-2", status="missing"),
        Line(seq=7, at=at, action="see", item="P-3", refused="unknown_item"),
        Line(seq=8, at=at, action="resolve", item="P-2", exception="missed"),
    ]
    entries = [entry(line.seq, encode(line)) for line in lines]
    written(tmp_path, entries)
    rows = pyarrow.parquet.read_table(tmp_path / NAME).to_pylist()
    names = ("raw", "symbology", "device", "giver", "voids", "reason", "title", "text")
    for name in (*names, "status", "refused", "exception"):
        assert [row[name] for row in rows] == [getattr(line, name) for line in lines]
    assert rows[3]["items"] == ["P-1", "P-2"]
    assert rows[0]["items"] is None
    gone = {row["voids"] for row in rows if row["action"] == "void"}
    loaded = [row for row in rows if row["action"] == "load"]
    left = [row for row in loaded if f"{row['log']}:{row['seq']}" not in gone]
    assert [row["item"] for row in left] == ["P-2"]


def test_a_file_without_columns_for_other_programs_is_read(tmp_path: Path) -> None:
    file = written(tmp_path, [entry(1), entry(2)])
    path = tmp_path / NAME
    table = pyarrow.parquet.read_table(path)
    kept = ("position", "log", "seq", "line", *Signed._fields)
    pyarrow.parquet.write_table(table.select(kept), path)
    older = msgspec.structs.replace(file, sha256=hashed(path))
    assert Archive(tmp_path).lines([older], [2]) == {2: entry(2).line}
    ((one, _),) = Archive(tmp_path).rows(older)
    assert (one.position, one.log, one.line) == (1, LOG, entry(1).line)


def test_a_line_is_found_by_its_position(tmp_path: Path) -> None:
    entries = [entry(position) for position in range(1, 3 * ROWS)]
    file = written(tmp_path, entries)
    wanted = [1, 2, ROWS, ROWS + 1, 3 * ROWS - 1]
    found = Archive(tmp_path).lines([file], wanted)
    assert found == {position: entries[position - 1].line for position in wanted}
    for beyond in (0, 3 * ROWS):
        with pytest.raises(ProblemError, match=f"position {beyond} is not"):
            Archive(tmp_path).lines([file], [beyond])


def test_a_file_that_changes_while_it_is_read_is_noticed(tmp_path: Path) -> None:
    file = written(tmp_path, [entry(1), entry(2)])
    reader, path = Archive(tmp_path), tmp_path / NAME
    assert reader.lines([file], [2])
    whole = path.read_bytes()
    path.write_bytes(whole[:-20] + bytes([whole[-20] ^ 1]) + whole[-19:])
    with pytest.raises(ProblemError, match=f"archive/{NAME} of the .* SHA-256"):
        reader.lines([file], [2])
    path.write_bytes(whole)
    assert reader.lines([file], [2])
    path.unlink()
    with pytest.raises(ProblemError, match="it is not there"):
        reader.lines([file], [2])


def test_no_name_leads_out_of_the_folder(tmp_path: Path) -> None:
    inner = tmp_path / "archive"
    inner.mkdir()
    file = written(tmp_path, [entry(1)])
    (tmp_path / NAME).rename(tmp_path / "other.parquet")
    named = msgspec.structs.replace(file, name="../other.parquet")
    with pytest.raises(ProblemError, match="its name is none"):
        Archive(inner).lines([named], [1])


def test_files_are_brought_once_and_shared_only_if_they_are_whole(
    tmp_path: Path,
) -> None:
    live, older, to, last = (tmp_path / name for name in ("a", "b", "c", "d"))
    live.mkdir()
    file = written(live, [entry(1)])
    bring([file], live, older)
    assert (older / NAME).stat().st_mode & 0o777 == 0o600
    bring([file], live, to, older)
    assert (to / NAME).samefile(older / NAME)
    (older / NAME).write_bytes(b"rotten")
    bring([file], live, last, older)
    assert hashed(last / NAME) == file.sha256


@pytest.mark.parametrize("month", ["2026-13", "2026", "2026-1", "0000-01", "9999-01"])
def test_what_is_no_month_that_is_over_is_refused(
    month: str, capsys: pytest.CaptureFixture[str]
) -> None:
    parser = argparse.ArgumentParser()
    add_commands(parser.add_subparsers())
    with pytest.raises(SystemExit):
        parser.parse_args(["archive", "--before", month])
    assert month in capsys.readouterr().err
    assert parser.parse_args(["archive", "--before", "2020-02"]).before == (
        1_580_515_200 * SECOND
    )
