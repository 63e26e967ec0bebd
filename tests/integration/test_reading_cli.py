"""The commands that read a server and bring tables, as real programs."""

import importlib.util
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.programs import BIN, PATIENCE, Server, told

ITEMS = "item,title\nP-1,Ring\nP-2,=1+1\n"


class Reader:
    """Runs commands against one server."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.folder = folder
        of = ("--data", str(server.data), "--scope", "admin", "--name", "eva")
        self._to = (
            "--server",
            server.url,
            "--key",
            told("scantrail-server", "key", *of),
        )

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [BIN / command[0], *command[1:], *self._to],
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
            cwd=self.folder,
        )

    def said(self, *command: str) -> str:
        done = self.run(*command)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def file(self, name: str, text: str) -> str:
        (self.folder / name).write_text(text)
        return name


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    server = Server(tmp_path_factory.mktemp("server"))
    server.start()
    found = Reader(server, tmp_path_factory.mktemp("tables"))
    table = found.file("claims.csv", "item,status\nP-1,shipped\nP-2,\x41\n")
    found.said("scantrail-server", "import", "claims", table)
    yield found
    server.stop()


def test_a_table_is_tried_and_then_brought(reader: Reader) -> None:
    table = reader.file("titles.csv", ITEMS)
    bring = ("scantrail-server", "import", "titles", table)
    text = reader.said(*bring, "--dry-run")
    assert text.startswith("2 rows of titles: 2 would be new")
    assert reader.said(*bring).startswith("2 rows of titles: 2 are new")
    assert "2 say what is known" in reader.said(*bring)
    report = json.loads(reader.said(*bring, "--json"))
    assert (report["same"], report["new"]) == (2, 0)
    assert "Ring" in reader.said("scantrail", "trace", "P-1")


def test_a_wrong_table_is_told_by_row_and_the_command_fails(reader: Reader) -> None:
    table = reader.file("wrong.csv", "item,title\n,Nothing\n")
    for more in ((), ("--dry-run",)):
        done = reader.run("scantrail-server", "import", "titles", table, *more)
        assert done.returncode == 1
        assert "row 2: item missing" in done.stdout + done.stderr
    done = reader.run("scantrail-server", "import", "titles", "nowhere.csv")
    assert (done.returncode, done.stdout) == (1, "")


def test_exceptions_stations_and_changes_fit_a_terminal(reader: Reader) -> None:
    texts = [
        reader.said("scantrail", "exceptions"),
        reader.said("scantrail", "stations"),
        reader.said("scantrail", "whatchanged", "P-1", "--at", "2026-01-01T00:00:00Z"),
    ]
    assert "claim_contradicted  P-1" in texts[0]
    assert "(server)" in texts[1]
    assert "exceptions: - -> claim_contradicted" in texts[2]
    for text in texts:
        assert max(map(len, text.splitlines())) <= 120
    commands: list[tuple[str, ...]] = [
        ("exceptions", "--all"),
        ("stations",),
        ("find", "P-", "--status", "received"),
        ("whatchanged", "P-1", "--known-at", "2026-01-01T00:00:00Z"),
    ]
    for command in commands:
        assert isinstance(
            json.loads(reader.said("scantrail", *command, "--json")), dict
        )
    assert reader.run("scantrail", "whatchanged", "P-1").returncode == 1


@pytest.mark.parametrize("what", ["items", "events", "exceptions"])
def test_an_export_is_written_whole(reader: Reader, what: str) -> None:
    lines = reader.said("scantrail", "export", what).splitlines()
    assert all(isinstance(json.loads(line), dict) for line in lines)
    reader.said("scantrail", "export", what, "-o", "out.csv")
    text = (reader.folder / "out.csv").read_text()
    assert text.count("\n") >= len(lines) + 1
    assert not (reader.folder / "out.csv.part").exists()
    done = reader.run("scantrail", "export", what, "-o", "no/such/folder.csv")
    assert done.returncode == 1


def test_parquet_says_what_it_needs_or_is_written(reader: Reader) -> None:
    command = ("scantrail", "export", "events", "-o", "out.parquet")
    if importlib.util.find_spec("pyarrow") is None:
        done = reader.run(*command)
        assert done.returncode == 1
        assert "pip install" in done.stderr
        return
    reader.said(*command)
    assert (reader.folder / "out.parquet").read_bytes()[:4] == b"PAR1"
