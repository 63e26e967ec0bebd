"""A simulated station: it joins, keeps its log, signs, and sends as real ones do."""

import base64
from typing import Any
from uuid import uuid4

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from server.client.api import Client
from shared import chain
from shared.api.stations import NewStation, StationCode
from shared.health import HEALTH, ScannerState, StationHealth
from shared.hosts import HostLine
from shared.lines import Line, encode
from shared.moments import SECOND, to_text
from shared.protocol import (
    BASE,
    CLOCK,
    HEAD,
    SIGNATURE,
    Appended,
    ClockReading,
    Enrol,
    Enrolled,
)

__all__ = ["Station"]

SIMULATED = "simulated"
"""Stands in a station's name, as its version, and as its machine's name."""
_UP = 7 * 24 * 3600 * SECOND
"""How long ago its machine started, as it says."""
_MOST = 5_000
"""Lines in one request."""
_DISK = 21_474_836_480


class Station:
    """One station, or the shop.

    Args:
        name: What it is called in the story.
        place: Where it stands; ``None`` for a host system.
        ahead: By how many seconds its clock is wrong.
        battery: Whether it runs on one.
        start: When the simulation began, in microseconds since 1970.
    """

    def __init__(
        self, name: str, place: str | None, *, ahead: float, battery: bool, start: int
    ) -> None:
        self.name = f"{name} ({SIMULATED})"
        self._place = place
        self._ahead = round(ahead * SECOND)
        self._battery = battery
        self._start = start
        self._boot = str(uuid4())
        self._log = str(uuid4())
        self._key = Ed25519PrivateKey.generate()
        self._head = chain.start(self._log)
        self._acked = 0
        self._seq = 0
        self._reads: list[tuple[int, bool]] = []
        self._client: Client | None = None
        self.waiting: list[bytes] = []
        self._oldest = 0

    async def join(self, admin: Client, server: str) -> None:
        """Let it join; what it says from now on it says with a token of its own."""
        new = NewStation(
            name=self.name,
            location=self._place,
            kind="host" if self._place is None else "station",
        )
        invited = await admin.post("/v1/stations", new, StationCode)
        public = self._key.public_key().public_bytes_raw()
        asked = Enrol(
            code=invited.code,
            public_key=base64.b64encode(public).decode(),
            log=self._log,
            version=SIMULATED,
            host=SIMULATED,
        )
        joined = await admin.post("/v1/enrol", asked, Enrolled)
        self._client = Client(server, joined.token)

    async def close(self) -> None:
        """Close its connection."""
        if self._client is not None:
            await self._client.close()

    def says(self, at: int, fields: dict[str, Any], *, undoes: bool = False) -> None:
        """Write a line, as of a moment that its clock may see otherwise."""
        if undoes:
            fields = {**fields, "voids": f"{self._log}:{self._seq}"}
        self._seq += 1
        if self._place is not None and "raw" in fields:
            self._reads.append((at, bool(fields.get("damaged"))))
            fields = {**fields, "device": self._device, "symbology": "C0"}
        clock = {
            "seq": self._seq,
            "at": to_text(at + self._ahead),
            "boot": self._boot,
            "mono": self._mono(at),
            "synced": not self._ahead,
        }
        kind = HostLine if self._place is None else Line
        if not self.waiting:
            self._oldest = at
        self.waiting.append(encode(msgspec.convert({**clock, **fields}, kind)))

    async def send(self, now: int) -> None:
        """Bring what waits to the server, or say that there is nothing.

        Raises:
            ScantrailError: It did not take it; all of it waits on.
        """
        if self._client is None:
            return
        lines = self.waiting[:_MOST]
        heads = chain.walk(self._head, lines)
        last = self._acked + len(lines)
        message = chain.signed_message(self._log, last, heads[-1])
        signature = base64.b64encode(self._key.sign(message)).decode()
        body = b"".join(line + b"\n" for line in lines)
        await self._client.send(
            f"/v1/logs/{self._log}/lines",
            body,
            "application/x-ndjson",
            Appended,
            {"after": str(self._acked)},
            more={
                BASE: self._head.hex(),
                HEAD: heads[-1].hex(),
                SIGNATURE: signature,
                CLOCK: self._reading(now).header(),
                HEALTH: self._health(now).header(),
            },
        )
        self.waiting = self.waiting[len(lines) :]
        self._head, self._acked = heads[-1], last

    @property
    def _device(self) -> str:
        return f"{SIMULATED} scanner"

    def _mono(self, at: int) -> int:
        return at - self._start + _UP

    def _reading(self, now: int) -> ClockReading:
        return ClockReading(
            at=now + self._ahead,
            boot=self._boot,
            mono=self._mono(now),
            synced=not self._ahead,
        )

    def _health(self, now: int) -> StationHealth:
        self._reads = [read for read in self._reads if now - read[0] < 3600 * SECOND]
        if self._place is None:
            return StationHealth(version=SIMULATED)
        used = (now - self._start) // (600 * SECOND)
        scanner = ScannerState(
            device=self._device,
            connected=True,
            since=(now - self._start) / SECOND + 3600,
            reads=self._seq,
            lately=len(self._reads),
            damaged_lately=sum(damaged for _, damaged in self._reads),
        )
        return StationHealth(
            version=SIMULATED,
            waiting=len(self.waiting),
            oldest=(now - self._oldest) / SECOND if self.waiting else None,
            synced=not self._ahead,
            disk_free=_DISK,
            battery=max(20, 96 - used) if self._battery else None,
            scanners=(scanner,),
        )
