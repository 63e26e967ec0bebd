"""A delivery: the lines of one request, taken apart and checked. Pure.

Contract, section 3.2. What a delivery says of itself (its heads) has been checked;
whether it fits what the server has is the store's to say.
"""

import sys
import zlib
from collections.abc import Callable
from typing import Protocol

import msgspec

from server.problems import framing, too_large
from shared.health import StationHealth
from shared.lines import MAX_LINE
from shared.protocol import MAX_BATCH_LINES, MAX_UNPACKED, ClockReading

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

__all__ = ["Delivery", "checked", "split", "unpack"]


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """Lines ``after + 1`` to ``last`` of a log, as one station sent them.

    ``heads`` are those before, between and after the lines. ``opaque``: a single line
    that its station could not get through otherwise, never to be understood.
    ``health`` is what the station said of itself, if it did.
    """

    log: str
    after: int
    lines: list[bytes]
    heads: list[bytes]
    signature: bytes
    clock: ClockReading | None
    health: StationHealth | None = None
    opaque: bool = False

    @property
    def last(self) -> int:
        """The position of the last line; ``after`` where there is none."""
        return self.after + len(self.lines)


class _Unpacker(Protocol):
    """What zlib and zstd have in common: a stream that is unpacked piece by piece."""

    @property
    def eof(self) -> bool:
        """Whether the end of the data has come."""

    @property
    def unused_data(self) -> bytes:
        """What stands behind that end."""

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        """Unpack, up to so many bytes."""


def _unpacked(stream: _Unpacker, name: str, data: bytes) -> bytes:
    found = stream.decompress(data, MAX_UNPACKED + 1)
    if stream.unused_data:
        reason = f"there are bytes behind the end of the {name} data"
        raise framing(reason)
    if len(found) <= MAX_UNPACKED and not stream.eof:
        reason = f"the {name} data ends before its end"
        raise framing(reason)
    return found


_UNPACK: dict[str, Callable[[bytes], bytes]] = {
    "": lambda data: data,
    "identity": lambda data: data,
    "gzip": lambda data: _unpacked(zlib.decompressobj(wbits=31), "gzip", data),
    "zstd": lambda data: _unpacked(zstd.ZstdDecompressor(), "zstd", data),
}


def unpack(body: bytes, encoding: str) -> bytes:
    """Undo a request's Content-Encoding.

    Raises:
        ProblemError: 422 for an unknown encoding or damaged data, 413 for too much.
    """
    function = _UNPACK.get(encoding.strip().lower())
    if function is None:
        reason = f"Content-Encoding {encoding[:40]!r}; gzip, zstd or none is understood"
        raise framing(reason)
    try:
        data = function(body)
    except (zlib.error, zstd.ZstdError) as error:
        reason = f"the body cannot be unpacked: {error}"
        raise framing(reason) from error
    if len(data) > MAX_UNPACKED:
        reason = f"the body unpacks to more than {MAX_UNPACKED} bytes; send fewer lines"
        raise too_large(reason)
    return data


def split(body: bytes) -> list[bytes]:
    """Split a body into lines, each ended by a newline.

    Raises:
        ProblemError: 422 where the framing is wrong, 413 where a limit is passed.
    """
    if not body:
        return []
    if not body.endswith(b"\n"):
        reason = "the body does not end with a newline: its end may have been cut off"
        raise framing(reason)
    if body.count(b"\n") > MAX_BATCH_LINES:
        reason = f"more than {MAX_BATCH_LINES} lines in one request; send fewer"
        raise too_large(reason)
    lines = body[:-1].split(b"\n")
    longest = max(map(len, lines))
    if longest > MAX_LINE:
        reason = f"a line of {longest} bytes; the most is {MAX_LINE}"
        raise too_large(reason)
    if not all(lines):
        reason = "there is an empty line in the body"
        raise framing(reason)
    return lines


def checked(delivery: Delivery, head: bytes) -> Delivery:
    """Return the delivery, whose lines lead to ``head`` as its request says.

    Raises:
        ProblemError: 422 where they do not.
    """
    if delivery.heads[-1] != head:
        reason = (
            f"the lines lead from the base to the head {delivery.heads[-1].hex()}, "
            f"the request says {head.hex()}: they were changed on their way"
        )
        raise framing(reason)
    return delivery
