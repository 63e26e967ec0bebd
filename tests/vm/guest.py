"""The way to the guest: commands, files, nodes; the other end is image/agent.py."""

import socket
import time
from collections.abc import Callable, Iterable, Sequence

import msgspec

__all__ = ["Answer", "Guest", "GuestError", "Job"]

_PATIENCE = 60.0


class GuestError(Exception):
    """A command failed in the guest, or the guest has gone."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What the guest did; ``clock`` is its CLOCK_MONOTONIC, in seconds, then.

    ``begun`` and ``took`` are of pieces written to a device.
    """

    id: int
    clock: float
    status: int = 0
    out: str = ""
    err: str = ""
    there: dict[str, bool] = {}
    files: dict[str, bytes | None] = {}
    begun: float = 0.0
    took: float = 0.0


class Job:
    """Something that the guest was asked for."""

    def __init__(self, guest: "Guest", number: int, limit: float, what: str) -> None:
        self._guest = guest
        self._number = number
        self._limit = limit
        self._what = what

    def result(self) -> Answer:
        """Wait until it is done.

        Raises:
            GuestError: It failed.
        """
        answer = self._guest.answer(self._number, self._limit)
        if answer.status:
            said = f"{answer.out}{answer.err}".strip()
            reason = f"{self._what}: status {answer.status}; {said}"
            raise GuestError(reason)
        return answer


class Guest:
    """A connection with the guest's agent.

    Args:
        wire: The socket of its serial port.
    """

    def __init__(self, wire: socket.socket) -> None:
        self._wire = wire
        self._number = 0
        self._rest = b""
        self._answers: dict[int, Answer] = {}

    def close(self) -> None:
        """Let go of the socket."""
        self._wire.close()

    def answer(self, number: int, limit: float) -> Answer:
        """Wait for the answer to a request; 0 is the agent's start."""
        end = time.monotonic() + limit
        while number not in self._answers:
            self._wire.settimeout(max(0.01, end - time.monotonic()))
            try:
                data = self._wire.recv(1 << 16)
            except TimeoutError as error:
                reason = f"no answer in {limit:.0f} s"
                raise GuestError(reason) from error
            if not data:
                reason = "the guest has gone"
                raise GuestError(reason)
            *lines, self._rest = (self._rest + data).split(b"\n")
            for line in lines:
                said = msgspec.json.decode(line, type=Answer)
                self._answers[said.id] = said
        return self._answers.pop(number)

    def start(self, command: str, *, limit: float = _PATIENCE) -> Job:
        """Begin a shell command."""
        return self._ask(command, limit, {"run": command, "limit": limit})

    def run(self, command: str, *, limit: float = _PATIENCE) -> str:
        """Run a shell command; return what it printed."""
        return self.start(command, limit=limit).result().out

    def put(self, path: str, data: bytes | str) -> None:
        """Write a file, in one piece."""
        content = data.encode() if isinstance(data, str) else data
        self._ask(f"put {path}", _PATIENCE, {"put": path, "data": content}).result()

    def look(self, exist: Iterable[str] = (), files: Iterable[str] = ()) -> Answer:
        """Say which paths are there, and what is in files, at one moment."""
        asked: dict[str, object] = {"look": list(files), "exist": list(exist)}
        return self._ask("look", _PATIENCE, asked).result()

    def read(self, path: str) -> bytes:
        """Return a file's bytes; none where it is not there."""
        return self.look(files=[path]).files[path] or b""

    def write(
        self,
        device: str,
        pieces: Sequence[bytes],
        *,
        start: float = 0.0,
        pause: float = 0.0,
    ) -> Job:
        """Begin to write pieces to a device, from a moment of the guest's clock on."""
        asked = {"write": device, "pieces": pieces, "start": start, "pause": pause}
        return self._ask(f"write to {device}", 2 * _PATIENCE, asked)

    def clock(self) -> float:
        """Return the guest's CLOCK_MONOTONIC, in seconds."""
        return self.look().clock

    def until(
        self,
        holds: Callable[[], bool],
        what: str,
        limit: float = _PATIENCE,
        *,
        every: float = 0.02,
    ) -> None:
        """Look again and again until something holds."""
        end = time.monotonic() + limit
        while not holds():
            assert time.monotonic() < end, f"in vain for {limit:.0f} s: {what}"
            time.sleep(every)

    def wait_for(self, path: str, *, gone: bool = False) -> float:
        """Wait until a path is there, or gone; return the guest's clock then."""
        end = time.monotonic() + _PATIENCE
        while (seen := self.look([path])).there[path] == gone:
            assert time.monotonic() < end, f"in vain: {path}, gone: {gone}"
            time.sleep(0.01)
        return seen.clock

    def _ask(self, what: str, limit: float, asked: dict[str, object]) -> Job:
        self._number += 1
        asked = {"id": self._number, **asked}
        self._wire.settimeout(_PATIENCE)
        self._wire.sendall(msgspec.json.encode(asked) + b"\n")
        return Job(self, self._number, limit + _PATIENCE, what)
