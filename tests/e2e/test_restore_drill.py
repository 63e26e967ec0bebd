"""The server's disk is gone; yesterday's backup comes back; not one scan is missing."""

import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from server.store.backups import Restored
from shared.lines import decode
from tests.programs import BIN, PATIENCE, Server, at_server, station, told, until

BEFORE, AFTER, DURING = 12, 9, 5


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    running = Server(tmp_path / "server")
    running.start()
    yield running
    running.stop()


def _noted(server: Server) -> int:
    """Return up to where the server knows the one station's log to be backed up."""
    path = server.data / "scantrail.db"
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as database:
        (noted,) = database.execute("SELECT max(backed_up) FROM log").fetchone()
    return int(noted)


def _refused(*command: str | Path) -> str:
    done = subprocess.run(
        [BIN / "scantrail-server", *command],
        capture_output=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == 1
    return done.stderr.decode()


def test_f54_a_restored_server_gets_back_every_scan(
    server: Server, tmp_path: Path
) -> None:
    home, data = tmp_path / "station", str(server.data)
    server.join(home)
    codes = [f"P-{number}" for number in range(BEFORE + AFTER + DURING)]
    with station(home) as one:

        def scan(some: list[str]) -> None:
            confirmed = one.confirmed() + len(some)
            for code in some:
                one.scan(code)
            until(lambda: one.confirmed() == confirmed, "all are confirmed")

        scan(codes[:BEFORE])
        until(lambda: one.status().waiting == 0, "all are acknowledged")
        made = told(
            *("scantrail-server", "backup", "--data", data),
            *("--to", str(tmp_path / "backups")),
        )
        until(lambda: _noted(server) == BEFORE, "the server knows of the backup")
        scan(codes[BEFORE : BEFORE + AFTER])
        until(lambda: one.status().waiting == 0, "all are acknowledged")
        until(lambda: one.status().backed_up == BEFORE, "so does the station")

        server.stop()
        shutil.rmtree(server.data)
        scan(codes[BEFORE + AFTER :])
        told("scantrail-server", "restore", made, "--data", data)
        assert len(at_server(server.data)) == BEFORE
        server.start()
        until(lambda: len(at_server(server.data)) == len(codes), "all came back")
        until(lambda: one.status().waiting == 0, "all are acknowledged")
        until(lambda: "sent again" in one.status().alarm, "the station says so")
    kept = at_server(server.data)
    assert [decode(line).raw for _, line in kept] == codes
    rows = msgspec.json.decode(
        told("scantrail-server", "restored", "--data", data, "--json"),
        type=list[Restored],
    )
    (row,) = (row for row in rows if row.told)  # the server's own log told nothing
    assert (row.had, row.told, row.has) == (BEFORE, BEFORE + AFTER, len(codes))
    assert row.missing == 0
    said = told("scantrail-server", "restored", "--data", data)
    assert f"lines {BEFORE + 1} to {BEFORE + AFTER} were sent again" in said
    whole = told("scantrail-server", "verify", "--data", data, "--against", made)
    assert "as it was received" in whole


def test_f55_a_server_that_lost_everything_is_filled_again_by_its_stations(
    server: Server, tmp_path: Path
) -> None:
    home = tmp_path / "station"
    server.join(home)
    codes = [f"P-{number}" for number in range(8)]
    with station(home) as one:
        for code in codes:
            one.scan(code)
        until(lambda: one.confirmed() == len(codes), "all are confirmed")
        until(lambda: one.status().waiting == 0, "all are acknowledged")
        server.stop()
        shutil.rmtree(server.data)
        server.start()
        one.scan("P-LATER")
        until(lambda: "refuses" in one.status().state, "the new server refuses it")
    server.join(home)  # an administrator lets it join
    with station(home) as one:
        until(lambda: one.status().waiting == 0, "all are acknowledged")
    kept = at_server(server.data)
    assert [decode(line).raw for _, line in kept] == [*codes, "P-LATER"]


def test_f57_what_is_no_whole_backup_is_refused(server: Server, tmp_path: Path) -> None:
    home = tmp_path / "station"
    server.join(home)
    with station(home) as one:
        one.scan("P-1")
        until(lambda: one.status().acked == 1, "it is acknowledged")
    copied = tmp_path / "copied"
    shutil.copytree(server.data, copied)
    restored = ("--data", tmp_path / "restored")
    assert "not a backup" in _refused("restore", copied, *restored)
    made = told(
        *("scantrail-server", "backup", "--data", str(server.data)),
        *("--to", str(tmp_path / "backups")),
    )
    assert "holds a server's data" in _refused("restore", made, "--data", server.data)
    tried = told("scantrail-server", "drill", "--data", str(server.data))
    assert "is as it was received" in tried
    assert made in tried
    copy = Path(made) / "scantrail.db"
    content = copy.read_bytes()
    copy.write_bytes(content[:-50] + bytes(byte ^ 1 for byte in content[-50:]))
    assert "is not as it was made" in _refused("restore", made, *restored)
    assert "is not as it was made" in _refused("drill", "--data", server.data)
    assert not (server.data / "drill").exists()
    assert not (tmp_path / "restored" / "scantrail.db").exists()
