"""The server's own log: what people do at the server comes in as every other event.

The server joins itself as a host with a key pair of its own, made at the first start,
and appends through the store, chained and signed like any station. After a restore,
where its file was lost, or where another has its name by now, it begins a new log.
"""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import uuid4

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from server.delivery import Delivery
from server.events import event_name
from server.keys import hashed, new_secret
from server.problems import ProblemError
from server.store import OWN, Invitation, Joining, Receipt, Station, Store, Token
from shared import files
from shared.chain import signed_message, walk
from shared.errors import StartError
from shared.hosts import HostLine
from shared.lines import encode
from shared.moments import to_text
from shared.protocol import ProblemType

__all__ = ["MAX_AT_ONCE", "OwnLog"]

MAX_AT_ONCE = 1000
"""Lines in one transaction, so that stations are not kept waiting."""

Now = Callable[[], int]

_VERSION = "own"
_JOINING = 60_000_000  # microseconds


class _Identity(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept in the file: a secret."""

    log: str
    epoch: str
    token: str
    private_key: bytes


class OwnLog:
    """Appends lines to the server's own log, one after the other."""

    def __init__(
        self,
        store: Store,
        station: Station,
        identity: _Identity,
        now: Callable[[], int],
    ) -> None:
        self._store = store
        self._station = station
        self._log = identity.log
        self._key = Ed25519PrivateKey.from_private_bytes(identity.private_key)
        self._now = now
        self._turn = asyncio.Lock()

    @classmethod
    async def open(
        cls, store: Store, path: Path, now: Now, names: Sequence[str] = (OWN,)
    ) -> "OwnLog":
        """Open the log that the file names; begin a new one where there is none.

        Args:
            store: Where it is kept.
            path: The file with its key.
            now: This machine's clock.
            names: What the server may call itself: the first that no other has, the
                last one also in place of another.

        Raises:
            StartError: The file can be neither read nor made.
        """
        try:
            identity = _read(path)
            station = None
            if identity is not None:
                station = await store.station(hashed(identity.token))
            if (
                identity is None
                or station is None
                or station.token is not Token.PRESENT
                or identity.epoch != store.identity.epoch
            ):
                if station is not None and station.token is Token.PRESENT:
                    names = (station.name,)  # which is this server's
                identity = _made(store.identity.epoch)
                station = await _join(store, identity, now, names)
                files.write(path, msgspec.json.encode(identity))
        except OSError as error:
            reason = (
                f"the server's own key {path} cannot be used ({error.strerror}). "
                "Check that the folder belongs to this user and has room."
            )
            raise StartError(reason) from error
        return cls(store, station, identity, now)

    async def write(self, lines: Sequence[HostLine]) -> list[str]:
        """Append lines, given without ``seq`` and ``at``; return the events' names.

        Returns once all are durable. They go in parts of MAX_AT_ONCE.

        Raises:
            ProblemError: They cannot be stored; parts before may be.
            LineError: One of them is too long; then none was stored.
        """
        for line in lines:
            encode(msgspec.structs.replace(line, seq=2**53))
        # once begun it is seen to its end, whoever asked for it may have gone
        return await asyncio.shield(asyncio.create_task(self._write(lines)))

    async def remark(self, station: str, text: str, reason: str) -> None:
        """Append what the server itself noticed of a station.

        Raises:
            ProblemError: It cannot be stored.
        """
        line = HostLine(
            seq=1,
            at="",
            action="note",
            by=OWN,
            station=station,
            text=text,
            reason=reason,
        )
        await self.write([line])

    async def _write(self, lines: Sequence[HostLine]) -> list[str]:
        names = []
        async with self._turn:
            for start in range(0, len(lines), MAX_AT_ONCE):
                names += await self._append(lines[start : start + MAX_AT_ONCE])
        return names

    async def _append(self, lines: Sequence[HostLine]) -> list[str]:
        state = await self._store.log(self._log)
        after, head = (state.acked, bytes.fromhex(state.head)) if state else (0, b"")
        at = to_text(self._now())
        data = [
            encode(msgspec.structs.replace(line, seq=seq, at=at))
            for seq, line in enumerate(lines, after + 1)
        ]
        receipt = await self._deliver(after, head, data)
        return [event_name(self._log, seq + 1) for seq in range(after, receipt.acked)]

    async def _deliver(self, after: int, head: bytes, data: list[bytes]) -> Receipt:
        heads = walk(head, data)
        message = signed_message(self._log, after + len(data), heads[-1])
        delivery = Delivery(
            log=self._log,
            after=after,
            lines=data,
            heads=heads,
            signature=self._key.sign(message),
            clock=None,
        )
        return await self._store.append(self._station, delivery)


async def _join(
    store: Store, identity: _Identity, now: Now, names: Sequence[str]
) -> Station:
    for name in names[:-1]:
        try:
            return await _join_as(store, identity, now, name, replaces=False)
        except ProblemError as problem:
            if problem.problem.type != ProblemType.TAKEN:
                raise
    return await _join_as(store, identity, now, names[-1], replaces=True)


async def _join_as(
    store: Store, identity: _Identity, now: Now, name: str, *, replaces: bool
) -> Station:
    code = hashed(new_secret("code"))
    key = Ed25519PrivateKey.from_private_bytes(identity.private_key)
    await store.invite(
        Invitation(
            name=name,
            location=None,
            kind="host",
            code_hash=code,
            expires=now() + _JOINING,
            replaces=replaces,
        )
    )
    return await store.enrol(
        Joining(
            code_hash=code,
            log=identity.log,
            token_hash=hashed(identity.token),
            public_key=key.public_key().public_bytes_raw(),
            version=_VERSION,
            host="",
        )
    )


def _made(epoch: str) -> _Identity:
    return _Identity(
        log=str(uuid4()),
        epoch=epoch,
        token=new_secret("st"),
        private_key=Ed25519PrivateKey.generate().private_bytes_raw(),
    )


def _read(path: Path) -> _Identity | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Identity)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
