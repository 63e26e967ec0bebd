"""Is everything that was received still there, unchanged? Pure.

A log's chain of heads leads from its name through the bytes of every line to the heads
that its station signed; the server's seals (`server.seals`) lead through all deliveries
in the order of their arrival. Whatever was changed, taken out or put in breaks one of
them. Only a tail that was cut off everywhere at once breaks nothing: a seal that was
written down elsewhere finds that, as each backup does, and so does the next station
that counts on what it was told.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum

import msgspec

from server.seals import Received, begin, seal
from server.signatures import signed
from server.timing import Basis
from shared.chain import link, start
from shared.errors import LineError
from shared.lines import decode
from shared.moments import SECOND

__all__ = [
    "Finding",
    "KeptLine",
    "KeptLog",
    "Kind",
    "Sealed",
    "Walk",
    "check_log",
    "check_seals",
    "worst",
]


_BY_ITS_CLOCK = (Basis.CLOCK.value, Basis.SYNCED.value)


_BEFORE_ITS_TURN = 60 * SECOND
"""How long before its moment is given a line may be taken in, at most: on a database
that many processes write, moments are given in turn, at the end of transactions."""


class KeptLog(msgspec.Struct, frozen=True, kw_only=True):
    """A log as the server remembers it: its last line, and the head after it.

    ``occurred`` is when that line's event happened.
    """

    name: str
    acked: int
    head: bytes
    occurred: int


class KeptLine(msgspec.Struct, frozen=True):
    """A line as it is kept; moments in microseconds since 1970.

    ``basis`` is that of `server.timing.When`.
    """

    seq: int
    position: int
    received: int
    occurred: int
    lo: int
    hi: int
    line: bytes
    basis: str


class Sealed(msgspec.Struct, frozen=True):
    """A delivery with its number in the order of arrival, and its seal."""

    number: int
    received: Received
    seal: bytes


class Kind(StrEnum):
    """What a finding says, the worst first.

    ``ALTERED``: what is kept is not what was received. ``FILE``: a file of archived
    lines is not as it was written. ``UNREAD``: something cannot be looked at.
    """

    ALTERED = "altered"
    FILE = "file"
    UNREAD = "unread"


class Finding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that is not as it should be. ``seq`` is 0 where no line is meant."""

    log: str = ""
    seq: int = 0
    text: str
    kind: Kind = Kind.ALTERED


def worst(findings: Sequence[Finding]) -> Kind:
    """Return what the worst of some findings says; there is one at least."""
    found = {finding.kind for finding in findings}
    return next(kind for kind in Kind if kind in found)


def check_log(
    log: KeptLog,
    walk: "Walk",
    deliveries: Iterable[Received],
    lines: Iterable[KeptLine],
) -> Iterator[Finding]:
    """Check a log's lines against what its station signed.

    Args:
        log: The log.
        walk: How far it was checked already.
        deliveries: Those of the log behind that, in the order of their last lines.
        lines: Its lines behind that, in the order of ``seq``.
    """
    coming = iter(lines)
    for delivery in deliveries:
        while walk.seq < delivery.last:
            line = next(coming, None)
            if line is None:
                yield walk.finding(walk.seq + 1, "it is not there")
                return
            yield from walk.take(line, delivery.received)
        yield from walk.meets(delivery)
    for line in coming:
        yield walk.finding(line.seq, "no delivery brought it")
    if walk.occurred != log.occurred:
        yield walk.finding(walk.seq, "the time when it happened was changed")
    if (walk.seq, walk.head) != (log.acked, log.head):
        yield walk.finding(
            0, f"it ends at line {walk.seq}; line {log.acked} was acknowledged"
        )


class Walk:
    """A way along a log's chain: it was checked up to ``seq``."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.seq = 0
        self.head = start(name)
        self._position = 0
        self.occurred = 0

    def finding(self, seq: int, text: str) -> Finding:
        """Return something that is not as it was received, of a line of this log."""
        return Finding(log=self.name, seq=seq, text=text)

    def bring(self, delivery: Received, lines: Iterable[KeptLine]) -> Iterator[Finding]:
        """Go on over a delivery and all that it brought."""
        for line in lines:
            yield from self.take(line, delivery.received)
        if self.seq < delivery.last:
            yield self.finding(self.seq + 1, "it is not there")
        yield from self.meets(delivery)

    def take(self, line: KeptLine, received: int) -> Iterator[Finding]:
        """Go on over one line that came with a delivery."""
        if line.seq != self.seq + 1:
            yield self.finding(self.seq + 1, "it is not there")
        if line.received != received:
            yield self.finding(line.seq, "it is dated as if received at another time")
        if line.position <= self._position:
            yield self.finding(line.seq, "it stands before the line it follows")
        if not self._can_be(line):
            yield self.finding(line.seq, "the time when it happened was changed")
        self.seq, self.head = line.seq, link(self.head, line.line)
        self._position, self.occurred = line.position, line.occurred

    def _can_be(self, line: KeptLine) -> bool:
        """Whether its time is one that follows from what was kept before it."""
        if line.occurred < self.occurred or not line.lo <= line.occurred <= line.hi:
            return False
        if line.basis not in _BY_ITS_CLOCK:
            return True
        try:
            at = decode(line.line).moment
        except LineError:
            return True
        told = (min(at, line.received), at)
        if line.occurred in {max(moment, self.occurred) for moment in told}:
            return True
        # no clock is believed beyond the moment when its line was taken in
        soon = line.received - _BEFORE_ITS_TURN
        return at > line.occurred and soon <= line.occurred <= line.received

    def meets(self, delivery: Received) -> Iterator[Finding]:
        """Compare with what the station signed; go on from there, to find more."""
        if self.head != delivery.head:
            yield self.finding(
                delivery.last, "lines up to here are not those that were signed"
            )
        if not signed(
            delivery.public_key,
            delivery.signature,
            log=delivery.log,
            last=delivery.last,
            head=delivery.head,
        ):
            yield self.finding(delivery.last, "its signature is not the station's")
        self.seq, self.head = delivery.last, delivery.head


def check_seals(
    server: str, deliveries: Iterable[Sealed], marks: Mapping[int, str]
) -> Iterator[Finding]:
    """Check the chain of all deliveries.

    Args:
        server: The name that the server has for itself.
        deliveries: All, in the order of their arrival.
        marks: Seals written down elsewhere, in hex, by the number of their delivery.
    """
    last, number, received = begin(server), 0, 0
    for one in deliveries:
        made = seal(last, one.received)
        if one.number != number + 1:
            yield Finding(text=f"delivery {number + 1} is not there")
        if made != one.seal:
            yield Finding(
                log=one.received.log,
                text=f"delivery {one.number} is not as it was sealed",
            )
        if one.received.received < received:
            yield Finding(text=f"delivery {one.number} came before the one before it")
        if marks.get(one.number, one.seal.hex()) != one.seal.hex():
            yield Finding(
                text=f"delivery {one.number} has another seal than was written down"
            )
        last, number, received = one.seal, one.number, one.received.received
    for missing in sorted(mark for mark in marks if mark > number):
        yield Finding(
            text=f"deliveries {number + 1} to {missing}, which were here, are not there"
        )
