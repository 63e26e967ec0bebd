"""A PostgreSQL of the tests' own: in a folder of its own, reached by a socket in it."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

__all__ = ["Postgres", "postgres", "why_not"]

PATIENCE = 30.0
USER = "scantrail"
_BINARIES = Path("/usr/lib/postgresql")
_SETTINGS = (
    "listen_addresses=",
    "max_connections=200",
    "shared_buffers=256MB",
    "max_wal_size=2GB",
    "log_min_messages=fatal",
)


def _binaries() -> Path | None:
    found = sorted(_BINARIES.glob("*/bin/initdb"), key=lambda path: path.parts[-3])
    return found[-1].parent if found else None


def _who() -> int | None:
    """Return the user to run it as, where that is not this one: it refuses root."""
    return pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None


def why_not() -> str:
    """Say why there can be none; empty where there can."""
    if _binaries() is None:
        return "PostgreSQL is not installed: apt-get install postgresql"
    return ""


class Postgres:
    """A PostgreSQL server, with as many databases as are asked for.

    Args:
        folder: Where everything of it is.
        durable: Flush to the disk, as a real one does; else a power cut loses all.
    """

    def __init__(self, folder: Path, *, durable: bool) -> None:
        self.folder = folder
        self._data = folder / "data"
        self._durable = durable
        self._process: subprocess.Popen[bytes] | None = None
        self._names = count(1)

    def make(self) -> None:
        """Make the folder."""
        self._own()
        self._run("initdb", "--no-sync", "-A", "trust", "-E", "UTF8", "--no-locale")

    def follow(self, primary: "Postgres") -> None:
        """Make the folder, as that of a standby of one that runs."""
        self._own()
        there = ("-h", str(primary.folder), "--no-sync", "--checkpoint=fast")
        self._run("pg_basebackup", *there, "--write-recovery-conf")

    def promote(self) -> None:
        """Let a standby be the primary; return once it is."""
        assert self.tell("postgres", "SELECT pg_promote()") == "t"

    def _own(self) -> None:
        who = _who()
        if who is not None:
            os.chown(self.folder, who, -1)

    def start(self) -> None:
        """Start it, and return once it answers."""
        settings = [*_SETTINGS, f"unix_socket_directories={self.folder}"]
        if not self._durable:
            settings += ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(self._program("postgres"), "-D", self._data),
                    *(part for one in settings for part in ("-c", one)),
                ],
                stdout=log,
                stderr=log,
                **self._as(),
            )
        end = time.monotonic() + PATIENCE
        while subprocess.run(
            [self._program("pg_isready"), "--quiet", "-h", self.folder], check=False
        ).returncode:
            assert self._process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < end, "PostgreSQL does not answer"
            time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: at once, unless told to wait, or killed."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(PATIENCE)
            self._process = None

    def database(self) -> str:
        """Make a new database, and return its address."""
        name = f"test_{next(self._names)}"
        self.tell("postgres", f"CREATE DATABASE {name}")
        return self.url(name)

    def url(self, name: str) -> str:
        """Return a database's address."""
        return f"postgresql://{USER}@/{name}?host={quote(str(self.folder), safe='')}"

    def tell(self, name: str, statement: str) -> str:
        """Run a statement, and return what it says."""
        done = subprocess.run(
            [
                *(self._program("psql"), "-h", self.folder, "-U", USER, "-d", name),
                *("-qAt", "-c", statement),
            ],
            check=True,
            capture_output=True,
            timeout=PATIENCE,
        )
        return done.stdout.decode().strip()

    def _program(self, name: str) -> Path:
        binaries = _binaries()
        assert binaries is not None
        return binaries / name

    def _run(self, name: str, *options: str) -> None:
        program: list[str | Path] = [self._program(name), "-D", self._data]
        done = subprocess.run(
            [*program, "-U", USER, *options],
            check=False,
            capture_output=True,
            **self._as(),
        )
        assert done.returncode == 0, done.stderr.decode()

    def _as(self) -> dict[str, Any]:
        who = _who()
        environment = {**os.environ, "LC_ALL": "C"}
        if who is None:
            return {"env": environment}
        alone = {"user": who, "group": pwd.getpwuid(who).pw_gid, "extra_groups": []}
        return {"env": environment, "cwd": self.folder, **alone}


@contextmanager
def postgres(*, durable: bool = False) -> Iterator[Postgres]:
    """Run one; whatever happens, it ends, and its folder with it."""
    folder = Path(tempfile.mkdtemp(prefix="scantrail-pg-"))
    found = Postgres(folder, durable=durable)
    try:
        found.make()
        found.start()
        yield found
    finally:
        found.stop()
        shutil.rmtree(folder)
