"""A station's log for the contract tests of a store, whatever its backend."""

from uuid import uuid4

from server.delivery import Delivery
from server.store import Invitation, Joining, Receipt, Station, Store
from shared import chain
from shared.lines import Line, encode
from shared.moments import SECOND, to_text

NOW = 1_777_000_000 * SECOND
AGO = NOW - 3_600 * SECOND


class Log:
    """A station that has joined, and what it wrote."""

    def __init__(self, store: Store, station: Station, name: str) -> None:
        self.store, self.station, self.name = store, station, name
        self.lines: list[bytes] = []

    def write(self, action: str, at: int = 0, **fields: object) -> str:
        """Write a line ``at`` so many seconds after an hour ago; return its event."""
        seq = len(self.lines) + 1
        moment = to_text(AGO + at * SECOND)
        line = Line(seq=seq, at=moment, action=action, **fields)  # type: ignore[arg-type]
        self.lines.append(encode(line))
        return f"{self.name}:{seq}"

    async def send(self, after: int = 0, last: int | None = None) -> Receipt:
        """Send lines from behind ``after`` on."""
        heads = chain.walk(chain.start(self.name), self.lines)
        last = len(self.lines) if last is None else last
        delivery = Delivery(
            log=self.name,
            after=after,
            lines=self.lines[after:last],
            heads=heads[after : last + 1],
            signature=b"",
            clock=None,
        )
        return await self.store.append(self.station, delivery)


async def joined(store: Store, name: str, log: str = "") -> Log:
    """Let a station join, with a log of a name of its own if none is given."""
    code, log = name.encode(), log or str(uuid4())
    await store.invite(
        Invitation(
            name=name, location=None, kind="station", code_hash=code, expires=NOW * 2
        )
    )
    station = await store.enrol(
        Joining(
            code_hash=code,
            log=log,
            token_hash=code,
            public_key=b"",
            version="",
            host="",
        )
    )
    return Log(store, station, log)
