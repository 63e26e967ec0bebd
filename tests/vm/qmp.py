"""QEMU's control socket (QMP): plug, unplug, type, save, cut."""

import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

__all__ = ["Qmp", "QmpError", "connected"]

_PATIENCE = 60.0


class QmpError(Exception):
    """QEMU did not do what it was told; the text says what."""


class Qmp:
    """One connection with a running QEMU.

    Args:
        path: Its socket.
        alive: Whether QEMU still runs.
    """

    def __init__(self, path: Path, alive: Callable[[], bool]) -> None:
        self._socket = connected(path, alive)
        self._socket.settimeout(_PATIENCE)
        self._lines = self._socket.makefile("rb")
        self._events: list[dict[str, Any]] = []
        self._next()
        self.tell("qmp_capabilities")

    def tell(self, command: str, **arguments: object) -> dict[str, Any]:
        """Have a command carried out; return what it returns.

        Raises:
            QmpError: It was refused, or QEMU has ended.
        """
        asked = {"execute": command, "arguments": arguments}
        self._socket.sendall(msgspec.json.encode(asked) + b"\n")
        while "return" not in (answer := self._next()):
            if "error" in answer:
                reason = f"{command}: {answer['error']['desc']}"
                raise QmpError(reason)
            self._events.append(answer)
        returned: dict[str, Any] = answer["return"]
        return returned

    def wait_for(self, event: str, **data: object) -> None:
        """Wait until an event with such data has come."""
        while not any(_is(said, event, data) for said in self._events):
            self._events.append(self._next())
        self._events = [e for e in self._events if not _is(e, event, data)]

    def close(self) -> None:
        """Let go of the socket."""
        self._lines.close()
        self._socket.close()

    def _next(self) -> dict[str, Any]:
        line = self._lines.readline()
        if not line:
            reason = "QEMU has ended"
            raise QmpError(reason)
        said: dict[str, Any] = msgspec.json.decode(line)
        return said


def _is(said: dict[str, Any], event: str, data: dict[str, object]) -> bool:
    return said.get("event") == event and data.items() <= said.get("data", {}).items()


def connected(path: Path, alive: Callable[[], bool]) -> socket.socket:
    """Connect with a socket that QEMU is about to make.

    Raises:
        QmpError: QEMU has ended, or makes none.
    """
    end = time.monotonic() + _PATIENCE
    while alive() and time.monotonic() < end:
        one = socket.socket(socket.AF_UNIX)
        try:
            one.connect(str(path))
        except OSError:
            one.close()
            time.sleep(0.02)
        else:
            return one
    reason = f"QEMU has not made {path.name}; see qemu.log beside it"
    raise QmpError(reason)
