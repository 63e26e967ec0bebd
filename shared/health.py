"""How a station does, as it says itself with its heartbeats: the HEALTH header.

One header of compact JSON in ASCII, beside those of contract section 3.2. Whoever does
not know it passes over it; whoever reads it believes nothing more than its bounds. All
times are ages, in seconds when it was sent, so that a wrong clock does no harm.
"""

import json
from typing import Annotated

import msgspec

from shared.errors import ProtocolError

__all__ = ["HEALTH", "MAX_HEALTH", "ScannerState", "StationHealth"]

HEALTH = "Scantrail-Health"
MAX_HEALTH = 4096
"""Characters of the header's value, at most."""

_MOST_SCANNERS = 64
_Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
_Age = Annotated[float, msgspec.Meta(ge=0, le=2**40)]
_Name = Annotated[str, msgspec.Meta(max_length=256)]
_Text = Annotated[str, msgspec.Meta(max_length=400)]


class ScannerState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One scanner, counted since the station's program started.

    ``since`` is how long it has been connected, or not; ``last_read`` how long ago it
    delivered something. ``lately`` and ``damaged_lately`` are the reads of the last
    hour, and those of them that were damaged.
    """

    device: _Name
    connected: bool
    since: _Age = 0.0
    problem: _Text = ""
    reads: _Count = 0
    damaged: _Count = 0
    no_reads: _Count = 0
    repeats: _Count = 0
    reconnects: _Count = 0
    lately: _Count = 0
    damaged_lately: _Count = 0
    last_read: _Age | None = None


class StationHealth(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A station's health.

    ``waiting`` are lines that are saved and not acknowledged, ``oldest`` how long the
    first of them has waited; ``unsaved`` are scans in memory only, and ``problem`` says
    why. ``disk_free`` is in bytes, ``battery`` in per cent. ``left_out`` scanners had
    no room in the header.
    """

    version: _Name = ""
    waiting: _Count = 0
    oldest: _Age | None = None
    unsaved: _Count = 0
    problem: _Text = ""
    synced: bool | None = None
    disk_free: _Count | None = None
    battery: _Count | None = None
    scanners: Annotated[
        tuple[ScannerState, ...], msgspec.Meta(max_length=_MOST_SCANNERS)
    ] = ()
    left_out: _Count = 0

    def header(self) -> str:
        """Write it as a header's value, of MAX_HEALTH characters at most.

        Scanners for which there is no room are left out, the last ones first.
        """
        known = len(self.scanners)
        for kept in range(min(known, _MOST_SCANNERS), -1, -1):
            shorter = msgspec.structs.replace(
                self,
                scanners=tuple(map(_short, self.scanners[:kept])),
                problem=self.problem[:400],
                left_out=self.left_out + known - kept,
            )
            text = _ascii(shorter)
            if len(text) <= MAX_HEALTH:
                return text
        return _ascii(StationHealth(left_out=known))

    @classmethod
    def from_header(cls, text: str) -> "StationHealth":
        """Read a header's value; what cannot be seen becomes a question mark.

        Raises:
            ProtocolError: It is too long, no JSON, or out of bounds.
        """
        if len(text) > MAX_HEALTH:
            reason = f"{HEALTH} has {len(text)} characters; the most is {MAX_HEALTH}"
            raise ProtocolError(reason)
        try:
            found = msgspec.json.decode(text.encode(), type=cls)
        except (ValueError, RecursionError) as error:
            reason = f"{HEALTH}: {error}"
            raise ProtocolError(reason) from error
        return msgspec.structs.replace(
            found,
            version=_visible(found.version),
            problem=_visible(found.problem),
            scanners=tuple(map(_plain, found.scanners)),
        )


def _short(scanner: ScannerState) -> ScannerState:
    return msgspec.structs.replace(
        scanner, device=scanner.device[:256], problem=scanner.problem[:200]
    )


def _ascii(health: StationHealth) -> str:
    return json.dumps(msgspec.to_builtins(health), separators=(",", ":"))


def _plain(scanner: ScannerState) -> ScannerState:
    return msgspec.structs.replace(
        scanner, device=_visible(scanner.device), problem=_visible(scanner.problem)
    )


def _visible(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text)
