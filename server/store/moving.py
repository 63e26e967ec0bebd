"""What is kept for ever, as rows that any store can be made from. Pure.

Answers do not come along: a store that finds none makes them from the lines.
"""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import msgspec

from server.store import Identity
from server.titles import TABLES, looked_for
from shared.hosts import Topic, host_line

__all__ = ["MANY", "NUMBERED", "REST", "Chunk", "Delivered", "Moved", "Rest"]
__all__ += ["worded"]

MANY = 10_000
"""Lines that are moved in one transaction, about."""

REST: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "station": (
            *("id", "name", "kind", "location", "created", "joined", "token_hash"),
            *("token_since", "next_hash", "public_key", "version", "host", "revoked"),
            *("heard", "horizon", "clock_offset", "health", "reported"),
        ),
        "old_token": ("token_hash", "station", "replaced", "host"),
        "incident": (
            *("station", "code", "since", "latest", "times", "log", "seq", "address"),
        ),
        "station_code": (
            *("code_hash", "station", "expires", "used", "replaces", "kind"),
            *("location", "made", "by"),
        ),
        "log": (*("id", "name", "station", "acked", "head", "occurred", "backed_up"),),
        "archive": ("first", "last", "name", "lines", "size", "sha256", "taken"),
        "restored": ("id", "at", "made_at"),
        "restored_log": ("restored", "log", "had", "told"),
        "anchor": ("station", "boot", "mono", "clock", "heard", "received"),
        "hook": ("name", "position"),
    }
)
"""The small tables and their columns, in an order in which they can be written."""

NUMBERED = ("station", "log", "restored")
"""Those whose rows are numbered by the database."""

Rest = Mapping[str, Sequence[Sequence[Any]]]
"""The rows of the small tables."""


class Delivered(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery, with its lines; ``position`` is that of its last one.

    ``lines`` has for each: seq, occurred, lo, hi, basis, quarantined, line. What a file
    of the archive has is ``None``.
    """

    number: int
    log: int
    last: int
    head: bytes
    signature: bytes | None
    public_key: bytes | None
    clock: str | None
    received: int
    seal: bytes
    position: int
    lines: list[Sequence[Any]]


class Chunk(msgspec.Struct, frozen=True, kw_only=True):
    """Deliveries that follow one another, and what else is known of their lines.

    ``voided``: log (its name), seq, and the line that took it back: log, its name,
    seq, received. ``said``: topic, key, occurred, log (its name), seq, log, position.
    """

    deliveries: list[Delivered]
    voided: list[Sequence[Any]]
    said: list[Sequence[Any]]

    @property
    def done(self) -> int:
        """The number of the last delivery."""
        return self.deliveries[-1].number


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """What a store holds, to be compared: whose it is, counts, every log's head."""

    identity: Identity
    deliveries: int
    lines: int
    seal: str
    heads: dict[str, tuple[int, str]]


def worded(chunk: Chunk) -> Iterator[tuple[str, int, int, int, str]]:
    """Return the words that lines are found by: table, log, seq, position, words."""
    lines = {
        (one.log, seq): line for one in chunk.deliveries for seq, *_, line in one.lines
    }
    for topic, _, _, _, seq, log, position in chunk.said:
        line = host_line(lines[log, seq]) if topic in TABLES else None
        if line is not None and (found := looked_for(topic, line)):
            yield TABLES[Topic(topic)], log, seq, position, found
