"""What an outbox holds, as values: its logs, where each stands, and lines to be sent.

Contract, sections 2 and 3.3. Pure.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import msgspec

from shared import chain
from shared.lines import Line

__all__ = ["Batch", "Former", "Log", "State", "numbered", "recorded_again", "rows"]

_ROOM = 40  # bits of a position that count lines; those above are the log's id


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Lines ``after + 1`` to ``last`` of a log, and the heads before and after them.

    ``part`` is the log's id in the outbox.
    """

    log: str
    part: int = 0
    after: int
    base: bytes
    head: bytes
    lines: tuple[bytes, ...]

    @property
    def last(self) -> int:
        """The last line's ``seq``; ``after`` where there are no lines."""
        return self.after + len(self.lines)

    @property
    def body(self) -> bytes:
        """The lines as they are sent: each ended by a newline."""
        return b"".join([line + b"\n" for line in self.lines])


class Former(msgspec.Struct, frozen=True):
    """Lines ``common + 1`` to ``last`` of a log, which went on in the log ``then``."""

    common: int
    last: int
    then: str


class Log(msgspec.Struct, frozen=True, kw_only=True):
    """A log, or a part of one.

    The lines ``first + 1`` to ``last`` are here. The server has acknowledged those up
    to ``acked``, in its history ``epoch``, and has those up to ``backed_up`` in a
    checked copy of its data. ``end`` is the last line that it has to get.
    """

    id: int
    name: str
    first: int = 0
    last: int = 0
    end: int = 0
    acked: int = 0
    backed_up: int = 0
    epoch: str = ""

    @property
    def base(self) -> int:
        """Line n has the position ``base + n``."""
        return self.id << _ROOM

    @property
    def waiting(self) -> int:
        """How many lines the server has to get, and has not acknowledged."""
        return max(self.end - self.acked, 0)


class State(msgspec.Struct, frozen=True, kw_only=True):
    """What the file holds.

    ``head`` is the head of the ``present`` log after its last line. ``left`` are the
    logs before it, oldest first: nothing is recorded in them any more.
    """

    present: Log
    head: bytes
    left: tuple[Log, ...] = ()
    former: Mapping[str, tuple[Former, ...]] = {}

    @property
    def log(self) -> str:
        """The present log's name."""
        return self.present.name

    @property
    def last(self) -> int:
        """The present log's last line."""
        return self.present.last

    @property
    def acked(self) -> int:
        """The present log's last line that the server has acknowledged."""
        return self.present.acked

    @property
    def backed_up(self) -> int:
        """The present log's last line in a checked copy of the server's data."""
        return self.present.backed_up

    @property
    def logs(self) -> tuple[Log, ...]:
        """All logs, the oldest first."""
        return (*self.left, self.present)

    @property
    def waiting(self) -> int:
        """How many lines, of all logs, the server has not acknowledged."""
        return sum(log.waiting for log in self.logs)

    def sending(self, without: Collection[int] = ()) -> Log:
        """Return the log that the server has to hear of next: the oldest not settled.

        Those ``without`` are passed over. A log that was left is settled once the
        server's present history has all of it: a server that was restored from a
        backup is asked again.
        """
        return next(
            (x for x in self.left if x.id not in without and not self.settled(x)),
            self.present,
        )

    def at_rest(self, without: Collection[int] = ()) -> bool:
        """Whether the server has to hear of nothing now."""
        return self.present.waiting == 0 and self.sending(without).id == self.present.id

    def settled(self, log: Log) -> bool:
        """Whether the server's present history is known to have all of ``log``."""
        return log.waiting == 0 and log.epoch == self.present.epoch

    def part(self, id_: int | None) -> Log:
        """Return a log by its id; the present one by default.

        Raises:
            LookupError: There is none (any more).
        """
        if id_ is None or id_ == self.present.id:
            return self.present
        for log in self.left:
            if log.id == id_:
                return log
        reason = f"the outbox has no log {id_}"
        raise LookupError(reason)

    def replaced(self, log: Log) -> "State":
        """Return the state with ``log`` in place of the one with its id."""
        if log.id == self.present.id:
            return msgspec.structs.replace(self, present=log)
        left = tuple(log if one.id == log.id else one for one in self.left)
        return msgspec.structs.replace(self, left=left)


def rows(
    lines: Iterator[bytes] | list[bytes], position: int, head: bytes
) -> Iterator[tuple[int, bytes, bytes]]:
    """Give each line the position and the head that follow."""
    for line in lines:
        position += 1
        head = chain.link(head, line)
        yield position, line, head


def numbered(draft: Line, seq: int, former: Mapping[str, tuple[Former, ...]]) -> Line:
    """Give a draft its place in the present log."""
    voids = draft.voids and _present_name(draft.voids, former)
    return msgspec.structs.replace(draft, seq=seq, voids=voids)


def recorded_again(
    line: bytes, seq: int, former: Mapping[str, tuple[Former, ...]]
) -> bytes:
    """Write a line for its place in a new log; fields not known here are kept."""
    fields: dict[str, Any] = msgspec.json.decode(line)
    fields["seq"] = seq
    if "voids" in fields:
        fields["voids"] = _present_name(fields["voids"], former)
    return msgspec.json.encode(fields)


def _present_name(event: str, former: Mapping[str, tuple[Former, ...]]) -> str:
    """Return the name under which an event of a log that was left goes on."""
    log, _, text = event.rpartition(":")
    if not (text.isascii() and text.isdecimal()):
        return event
    seq = int(text[:20])
    while moved := next(
        (one for one in former.get(log, ()) if one.common < seq <= one.last), None
    ):
        log, seq = moved.then, seq - moved.common
    return f"{log}:{seq}" if log else event
