"""The real programs, started and stopped by tests."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from edge.clock import read_clock
from edge.health import Status, overview
from server.store import OWN
from shared.errors import StartError

BIN = Path(sys.executable).parent
PATIENCE = 30.0


def told(*command: str) -> str:
    """Run a program to its end, and return what it printed."""
    program, *arguments = command
    done = subprocess.run(
        [BIN / program, *arguments], capture_output=True, check=True, timeout=PATIENCE
    )
    return done.stdout.decode().strip()


def until(holds: Callable[[], bool], what: str) -> None:
    """Look again and again until something holds."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, f"in vain: {what}"
        time.sleep(0.02)


class Server:
    """A server process; started again, it is where it was."""

    def __init__(self, data: Path, config: Path | None = None) -> None:
        self.data = data
        self.config = config
        self.url = ""
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        port = self.url.rpartition(":")[2] or "0"
        serve: list[str | Path] = [
            BIN / "scantrail-server",
            "serve",
            "--data",
            self.data,
        ]
        serve += ["--config", self.config] if self.config else []
        with self.data.with_name("server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*serve, "--port", port], stdout=subprocess.PIPE, stderr=log
            )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().decode().strip()
        assert self.url.startswith(("http://", "https://"))

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self.process is None:
            return
        self.process.send_signal(how)
        self.process.wait(PATIENCE)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.process = None

    def join(self, station: Path, url: str = "") -> None:
        """Let a station join, by way of another address if one is given."""
        key = told("scantrail-server", "key", "--data", str(self.data), "--scope=admin")
        to = ("--server", self.url, "--key", key)
        code = told("scantrail-server", "station-code", station.name, *to)
        told("scantrail-station", "join", url or self.url, code, "--data", str(station))


class Station:
    """A station process that reads a pseudo-terminal as a serial scanner."""

    def __init__(self, data: Path, process: subprocess.Popen[bytes], wire: int) -> None:
        self.data = data
        self.process = process
        self._wire = wire
        self._out = data / "stdout"

    def scan(self, code: str) -> None:
        os.write(self._wire, code.encode() + b"\r")

    def confirmed(self) -> int:
        """Return how many scans were confirmed as saved so far."""
        return self._out.read_bytes().count("✔ SAVED".encode())

    def status(self) -> Status:
        return overview(self.data, read_clock())

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        assert self.process.wait(PATIENCE) == -signal.SIGKILL


@contextmanager
def station(data: Path) -> Iterator[Station]:
    """Run a station; whatever happens, it ends."""
    wire, port = os.openpty()
    tty.setraw(port)
    data.mkdir(exist_ok=True)
    (data / "status.json").unlink(missing_ok=True)
    run: list[str | Path] = [BIN / "scantrail-station", "run", "--data", data]
    with (data / "stdout").open("wb") as out:
        process = subprocess.Popen(
            [*run, "--scanner", f"serial:{os.ttyname(port)}"],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.DEVNULL,
        )
    try:
        found = Station(data, process, wire)
        until(lambda: _connected(found), "the scanner is connected")
        yield found
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        process.wait(PATIENCE)
        os.close(wire)
        os.close(port)


def _connected(of: Station) -> bool:
    try:
        status = of.status()
    except StartError:
        return False  # its outbox is being made
    return status.running and any(one.connected for one in status.scanners)


def at_server(data: Path) -> list[tuple[int, bytes]]:
    """Read the stations' lines that the server keeps, in its own order."""
    with _read_only(data / "scantrail.db") as database:
        return database.execute(
            "SELECT seq, line FROM line JOIN log ON log.id = line.log"
            " JOIN station ON station.id = log.station WHERE station.name != ?"
            " ORDER BY position",
            (OWN,),
        ).fetchall()


def unwritten_at_server(data: Path) -> int:
    """Return how many lines are not in what the server has written of items."""
    with _read_only(data / "scantrail.db") as database:
        (number,) = database.execute(
            "SELECT count(*) FROM line WHERE position >"
            " (SELECT value + 0 FROM meta WHERE name = 'told')"
        ).fetchone()
        return int(number)


@contextmanager
def _read_only(path: Path) -> Iterator[sqlite3.Connection]:
    database = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    try:
        yield database
    finally:
        database.close()
