"""Carries out in the guest what the host asks for; runs as its own program.

A request is a line of JSON on a virtio-serial port, and so is its answer; each request
has a thread of its own, so that a long command holds up nothing. Bytes are in base64.
Every answer has the guest's CLOCK_MONOTONIC, in seconds, when it was made.
"""

import base64
import json
import os
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

_PORTS = Path("/sys/class/virtio-ports")


def _run(asked: dict[str, Any]) -> dict[str, Any]:
    """Run a shell command; 124 as its status says that it took too long."""
    try:
        done = subprocess.run(
            ["/bin/bash", "-c", asked["run"]],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=asked["limit"],
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"status": 124}
    return {
        "status": done.returncode,
        "out": done.stdout.decode(errors="replace"),
        "err": done.stderr.decode(errors="replace"),
    }


def _put(asked: dict[str, Any]) -> dict[str, Any]:
    """Write a file, in one piece."""
    path = Path(asked["put"])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(base64.b64decode(asked["data"]))
    return {}


def _look(asked: dict[str, Any]) -> dict[str, Any]:
    """Say which paths are there, and what is in files."""
    there = {path: Path(path).exists() for path in asked["exist"]}
    return {
        "there": there,
        "files": {path: _contents(Path(path)) for path in asked["look"]},
    }


def _contents(path: Path) -> str | None:
    try:
        return base64.b64encode(path.read_bytes()).decode()
    except OSError:
        return None


def _write(asked: dict[str, Any]) -> dict[str, Any]:
    """Write pieces to a device, from a moment on; each is one call of write."""
    pieces = [base64.b64decode(piece) for piece in asked["pieces"]]
    device = os.open(asked["write"], os.O_WRONLY | os.O_NOCTTY)
    try:
        time.sleep(max(0.0, asked["start"] - time.monotonic()))
        begun = time.monotonic()
        for piece in pieces:
            os.write(device, piece)
            if asked["pause"]:
                time.sleep(asked["pause"])
        return {"begun": begun, "took": time.monotonic() - begun}
    finally:
        os.close(device)


_REQUESTS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "run": _run,
    "put": _put,
    "look": _look,
    "write": _write,
}


class Agent:
    """Serves a port."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._one = threading.Lock()

    def serve(self) -> None:
        """Carry out requests for ever."""
        self._answer({"id": 0})
        rest = b""
        while True:
            rest += os.read(self._port, 65_536) or self._nobody()
            *lines, rest = rest.split(b"\n")
            for line in lines:
                asked = json.loads(line)
                threading.Thread(target=self._do, args=(asked,), daemon=True).start()

    def _nobody(self) -> bytes:
        """Wait a little: the host has not connected."""
        time.sleep(0.05)
        return b""

    def _do(self, asked: dict[str, Any]) -> None:
        do = next(do for name, do in _REQUESTS.items() if name in asked)
        try:
            found = do(asked)
        except Exception as error:  # noqa: BLE001 - the host has to hear of it
            found = {"status": 255, "err": repr(error)}
        self._answer({"id": asked["id"], **found})

    def _answer(self, answer: dict[str, Any]) -> None:
        data = json.dumps({**answer, "clock": time.monotonic()}).encode() + b"\n"
        with self._one:
            while data:
                data = data[os.write(self._port, data) :]


def _port(name: str) -> Path:
    """Wait for a port of the host's, and return its node."""
    while True:
        for entry in _PORTS.glob("*/name"):
            node = Path("/dev") / entry.parent.name
            if entry.read_text().strip() == name and node.exists():
                return node
        time.sleep(0.05)


if __name__ == "__main__":
    Agent(os.open(_port("agent"), os.O_RDWR)).serve()
