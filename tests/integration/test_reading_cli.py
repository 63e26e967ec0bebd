"""The commands that read a server and bring tables, as real programs."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.client.cli import main
from tests.programs import BIN, PATIENCE, Server, told

ITEMS = "item,title\nP-1,Ring\nP-2,=1+1\n"


class Reader:
    """Runs commands against one server."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.folder = folder
        self.url = server.url
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


def test_a_row_that_no_label_can_match_is_warned_of(reader: Reader) -> None:
    table = reader.file("people.csv", "operator,name\nB-ANA,Ana\nCARL,Carl\n")
    bring = ("scantrail-server", "import", "operators", table)
    for more in (("--dry-run",), ()):
        text = reader.said(*bring, *more)
        assert "row 3: warning: no label reads as the badge 'CARL'" in text
        assert "a label B-CARL reads as B-CARL" in text
    assert "2 say what is known" in reader.said(*bring)


def test_an_item_that_was_only_spoken_of_was_never_scanned(reader: Reader) -> None:
    table = reader.file("expect.csv", "item,load\nP-77,M-8\n")
    reader.said("scantrail-server", "import", "expect", table)
    first, second, *_ = reader.said("scantrail", "trace", "p-77").splitlines()
    assert first == "P-77 was never scanned, as far as is known here."
    assert second.startswith("Expected on M-8 (said by (server), 20")
    claimed = reader.said("scantrail", "trace", "P-1").splitlines()
    assert "never scanned" in claimed[0]
    assert claimed[1].startswith("Claimed to be shipped (said by")
    assert "Expected on" not in reader.said("scantrail", "trace", "M-8")


def test_moments_are_typed_as_people_do_and_errors_speak_of_the_option(
    reader: Reader,
) -> None:
    text = reader.said("scantrail", "trace", "P-1", "--at", "yesterday 13:50")
    assert text.startswith("As of 20")
    assert "UTC" in text.splitlines()[0]
    done = reader.run("scantrail", "trace", "P-1", "--at", "soon")
    assert done.returncode == 2
    assert "argument --at: 'soon' is no moment" in done.stderr
    assert "%" not in done.stderr


def test_a_place_says_what_is_there(reader: Reader) -> None:
    for command in (("trace", "L-A-01"), ("at", "A-01"), ("at", "L-a-01")):
        assert "Nothing is at A-01." in reader.said("scantrail", *command)
    page = json.loads(reader.said("scantrail", "at", "A-01", "--json"))
    assert page["items"] == []


def test_items_are_wanted_and_no_longer(reader: Reader) -> None:
    assert "Nothing is wanted" in reader.said("scantrail", "wanted")
    assert "P-2" in reader.said("scantrail", "want", "p-2", "--reason", "lost ring")
    assert "lost ring" in reader.said("scantrail", "wanted")
    assert "not wanted" not in reader.said("scantrail", "unwant", "P-2")
    again = reader.said("scantrail", "unwant", "P-2")
    assert "P-2 was not wanted; nothing was done." in again
    assert "Nothing is wanted" in again


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--server", "127.0.0.1:1", "--key", "x"), "has no http:// or https://"),
        (("--server", "URL", "--key", "wrong"), "key --data DIR --scope read."),
        (("--server", "URL", "--key", ""), "--key, or in SCANTRAIL_KEY"),
        (("--server", "URL"), "--key, or in SCANTRAIL_KEY"),
        (("--key", "x"), "--server, or in SCANTRAIL_SERVER"),
    ],
)
def test_a_wrong_server_or_key_is_told_in_a_sentence(
    reader: Reader, arguments: tuple[str, ...], says: str
) -> None:
    given = [reader.url if one == "URL" else one for one in arguments]
    done = subprocess.run(
        [BIN / "scantrail", "stations", *given],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert says in done.stderr
    assert "station joins" not in done.stderr


def test_what_a_station_brought_and_drained_no_longer_waits(
    reader: Reader, tmp_path: Path
) -> None:
    code = reader.said("scantrail-server", "station-code", "DRAIN-1").strip()
    told("scantrail-station", "join", reader.url, code, "--data", str(tmp_path))
    scans = "X-RECEIVE\n" + "".join(f"P-D{number}\n" for number in range(20))
    subprocess.run(
        [BIN / "scantrail-station", "run", "--drain", "--data", tmp_path],
        input=scans,
        text=True,
        capture_output=True,
        check=True,
        timeout=PATIENCE,
    )
    states = json.loads(reader.said("scantrail", "stations", "--json"))["stations"]
    assert [s["backlog"] for s in states if s["station"] == "DRAIN-1"] == [0]
    where = reader.said("scantrail", "at", "P-D1")
    assert where.startswith("P-D1 is an item, not a place.\nP-D1 is received since ")


def test_a_server_without_tls_that_is_asked_with_it_is_told_plainly(
    reader: Reader,
) -> None:
    secure = reader.url.replace("http:", "https:")
    done = subprocess.run(
        [BIN / "scantrail", "stations", "--server", secure, "--key", "sk_x"],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "speaks no TLS. Nothing was sent." in done.stderr
    assert f"is asked with {reader.url}" in done.stderr
    assert "SSL" not in done.stderr


def test_a_name_that_is_taken_is_told_and_a_place_may_be_written_as_its_label(
    reader: Reader, tmp_path: Path
) -> None:
    ask = ("scantrail-server", "station-code", "GATE-1", "--location", "L-GATE-9")
    done = reader.run(*ask)
    assert "already" not in done.stderr
    code = done.stdout.strip()
    told("scantrail-station", "join", reader.url, code, "--data", str(tmp_path))
    states = json.loads(reader.said("scantrail", "stations", "--json"))["stations"]
    assert [s["location"] for s in states if s["station"] == "GATE-1"] == ["GATE-9"]
    again = reader.run(*ask)
    assert (again.returncode, again.stdout) == (1, "")
    assert "There is a station GATE-1 already" in again.stderr
    assert "made with --replace" in again.stderr
    instead = reader.run(*ask, "--replace")
    assert (instead.returncode, "goes on scanning" in instead.stderr) == (0, True)


@pytest.mark.parametrize(
    "command",
    [
        ("person", "list"),
        ("person", "add", "Ana", "--role", "viewer"),
    ],
)
def test_a_folder_that_is_not_there_is_not_made(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    nowhere = tmp_path / "nosuch"
    done = subprocess.run(
        [BIN / "scantrail-server", *command, "--data", nowhere],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
        input="a password of Ana\n",
    )
    assert done.returncode == 1
    assert "there is no folder" in done.stderr
    assert not nowhere.exists()


def test_a_key_may_be_made_before_the_first_start_and_says_so(tmp_path: Path) -> None:
    nowhere = tmp_path / "new" / "data"
    done = subprocess.run(
        [BIN / "scantrail-server", "key", "--scope", "admin", "--data", nowhere],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == 0
    assert done.stdout.startswith("sk_")
    assert done.stdout.count("\n") == 1
    assert f"{nowhere} was not there" in done.stderr


@pytest.mark.parametrize(
    "program", ["scantrail", "scantrail-server", "scantrail-station"]
)
def test_every_program_says_its_version(program: str) -> None:
    assert told(program, "--version")


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


def test_parquet_says_what_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    file = tmp_path / "out.parquet"
    assert main(["export", "events", "-o", str(file), "--server", "x", "--key", "k"])
    assert "pip install 'scantrail[parquet]'" in capsys.readouterr().err
    assert not file.exists()


def test_parquet_is_written(reader: Reader) -> None:
    reader.said("scantrail", "export", "events", "-o", "out.parquet")
    assert (reader.folder / "out.parquet").read_bytes()[:4] == b"PAR1"
