"""The real programs under something that listens as systemd does."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.programs import BIN, PATIENCE


@contextmanager
def started(tmp_path: Path, *command: str) -> Iterator[tuple[socket.socket, int]]:
    """Run a program with a notify socket, its input a terminal that says nothing."""
    where = str(tmp_path / "notify")
    quiet, terminal = os.openpty()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as wire:
        wire.settimeout(PATIENCE)
        wire.bind(where)
        environ = {**os.environ, "NOTIFY_SOCKET": where, "WATCHDOG_USEC": "300000"}
        environ.pop("WATCHDOG_PID", None)
        process = subprocess.Popen(
            [BIN / command[0], *command[1:]],
            stdin=terminal,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environ,
        )
        try:
            yield wire, process.pid
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) == 0
        finally:
            process.kill()
            process.wait()
            os.close(quiet)
            os.close(terminal)


@pytest.mark.parametrize(
    "command",
    [
        ("scantrail-server", "serve", "--port=0", "--data"),
        ("scantrail-station", "run", "--scanner=tcp:127.0.0.1:1", "--data"),
    ],
    ids=["server", "station"],
)
def test_a_program_says_when_it_is_ready_and_that_it_lives_and_when_it_ends(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    with started(tmp_path, *command, str(tmp_path / "data")) as (wire, pid):
        said = [wire.recv(4096).decode() for _ in range(4)]
        assert "READY=1" in said
        assert sum(one.startswith("WATCHDOG=1\nSTATUS=") for one in said) == 3
        os.kill(pid, signal.SIGTERM)
        while "STOPPING=1" not in said:
            said.append(wire.recv(4096).decode())


def test_a_program_that_hangs_is_not_fed(tmp_path: Path) -> None:
    serve = ("scantrail-server", "serve", "--port=0", "--data", str(tmp_path / "data"))
    with started(tmp_path, *serve) as (wire, pid):
        while "WATCHDOG" not in wire.recv(4096).decode():
            pass
        os.kill(pid, signal.SIGSTOP)
        os.waitid(os.P_PID, pid, os.WSTOPPED | os.WNOWAIT)
        wire.setblocking(False)  # noqa: FBT003 - the standard library's way
        with suppress(BlockingIOError):  # what was on its way
            while wire.recv(4096):
                pass
        wire.settimeout(0.9)  # many times what was asked for
        with pytest.raises(TimeoutError):
            wire.recv(4096)
        os.kill(pid, signal.SIGCONT)
        wire.settimeout(PATIENCE)
        assert "WATCHDOG" in wire.recv(4096).decode()
