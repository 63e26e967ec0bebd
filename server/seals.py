"""The server's own chain over all that it received, in the order of its arrival. Pure.

A station's signature protects the bytes of its lines, and their order in its log. The
seals protect what the server adds to them: when each delivery came, what the station's
clocks showed, and that no delivery was taken out of the middle. Whoever changes one
row would have to change the seal of every later one, and a seal that was copied away
(each backup has one) tells.
"""

from hashlib import sha256

import msgspec

__all__ = ["Received", "begin", "seal"]


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery as it is kept: the lines of ``log`` up to ``last``, with their head.

    ``station`` is the name of the one that brought it.

    ``clock`` is the header that came with it, ``received`` in microseconds since 1970.
    """

    station: str
    log: str
    last: int
    head: bytes
    signature: bytes
    public_key: bytes
    clock: str | None
    received: int


def begin(server: str) -> bytes:
    """Return the seal of a server that has received nothing."""
    return sha256(f"scantrail seals\n{server}".encode()).digest()


def seal(before: bytes, delivery: Received) -> bytes:
    """Return the seal after one more delivery."""
    fields = (
        delivery.station,
        delivery.log,
        str(delivery.last),
        delivery.head.hex(),
        delivery.signature.hex(),
        delivery.public_key.hex(),
        delivery.clock or "",
        str(delivery.received),
    )
    return sha256(before + "\n".join(fields).encode()).digest()
