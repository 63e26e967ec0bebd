"""What a server is doing when a fault happens; see `tests.faults.scenes`.

Its stations' lines are the same each time, so that all of them can be sent again.
"""

import asyncio
import base64
import sqlite3
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from server import backup
from server.backup import DATABASE, BackupError
from server.delivery import Delivery
from server.problems import ProblemError
from server.store import Invitation, Joining, Store, schemas
from server.store.audit import opened, report
from server.store.sqlite import SqliteStore
from shared import chain, files
from shared.lines import Line, encode
from shared.moments import SECOND, to_text
from shared.protocol import BASE, CLOCK, HEAD, SIGNATURE, ClockReading
from tests.faults.checker import Found, check

__all__ = ["SCENES", "Sender", "joined", "kept", "serving"]

NOW = 1_777_000_000 * SECOND
_NEVER = 2**62
_BEFORE, _LINES, _TOGETHER = 12, 48, 3
_TRIES = 50
NEXT = """
ALTER TABLE station ADD COLUMN note TEXT NOT NULL DEFAULT '';
CREATE TABLE again (position INTEGER PRIMARY KEY, line BLOB NOT NULL);
INSERT INTO again SELECT position, line FROM line;
CREATE INDEX again_line ON again (line);
UPDATE station SET note = name;
"""
"""A second version, as one could be: it shows that the first leads there safely."""
_KEY = b"a key"

Tell = Callable[[str], None]
Prepare = Callable[[Path], Coroutine[Any, Any, None]]
Act = Callable[[Path, Tell], Coroutine[Any, Any, None]]
Judge = Callable[[Path, list[str]], Coroutine[Any, Any, Found]]


class Sender:
    """A station's log: each time the same lines, and what it signs of them."""

    def __init__(self, number: int, lines: int = _LINES) -> None:
        self.name = f"DOCK-{number}"
        self.log = str(UUID(int=number + 1))
        self.key = Ed25519PrivateKey.from_private_bytes((number + 1).to_bytes(32))
        self.codes = [f"P-{number}-{seq}" for seq in range(1, lines + 1)]
        self.rewrite(
            [_line(seq, code, number) for seq, code in enumerate(self.codes, 1)]
        )

    def rewrite(self, lines: list[bytes]) -> None:
        """Let these be its lines."""
        self.lines = lines
        self.heads = chain.walk(chain.start(self.log), lines)

    @property
    def secret(self) -> bytes:
        """The hash of its token."""
        return self.name.encode()

    def delivery(self, after: int, last: int) -> Delivery:
        signed = chain.signed_message(self.log, last, self.heads[last])
        return Delivery(
            log=self.log,
            after=after,
            lines=self.lines[after:last],
            heads=self.heads[after : last + 1],
            signature=self.key.sign(signed),
            clock=ClockReading(at=NOW, boot=self.name, mono=last + 1, synced=True),
        )

    def headers(self, one: Delivery) -> dict[str, str]:
        """Return what goes before a delivery; its token is its name."""
        assert one.clock is not None
        return {
            "Authorization": f"Bearer {self.name}",
            BASE: one.heads[0].hex(),
            HEAD: one.heads[-1].hex(),
            SIGNATURE: base64.b64encode(one.signature).decode(),
            CLOCK: one.clock.header(),
        }


def _line(seq: int, code: str, number: int) -> bytes:
    at = to_text(NOW - 1000 * SECOND + seq * SECOND)
    action, place = ("receive", "move", "pack")[seq % 3], f"L-{(seq + number) % 5}"
    container = f"C-{number}-{seq % 4}" if action == "pack" else None
    line = Line(
        seq=seq,
        at=at,
        action=action,
        item=code if seq % 5 else f"P-{number}-1",
        location=place,
        container=container,
        raw=code,
    )
    return encode(line)


SENDERS = (Sender(0), Sender(1))


def _now() -> int:
    return NOW


async def joined(store: Store, sender: Sender, token_hash: bytes) -> None:
    """Let a sender join a store, with a token."""
    code = sender.secret
    await store.invite(
        Invitation(
            name=sender.name,
            location=None,
            kind="station",
            code_hash=code,
            expires=_NEVER,
        )
    )
    await store.enrol(
        Joining(
            code_hash=code,
            log=sender.log,
            token_hash=token_hash,
            public_key=sender.key.public_key().public_bytes_raw(),
            version="",
            host="",
        )
    )


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[SqliteStore]:
    """Open a server's store, and close it."""
    store = await SqliteStore.open(folder / DATABASE, _now)
    try:
        yield store
    finally:
        await store.close()


def kept(folder: Path) -> dict[str, list[bytes]]:
    """Return the lines of each log, in their order."""
    found: dict[str, list[bytes]] = {}
    with opened(folder / DATABASE) as database:
        for log, line in database.execute(
            "SELECT g.name, l.line FROM line l JOIN log g ON g.id = l.log"
            " ORDER BY l.log, l.seq"
        ):
            found.setdefault(log, []).append(line)
    return found


async def _send(store: Store, sender: Sender, after: int, last: int) -> bool:
    """Send until it is taken, as a station does; return whether it was."""
    for _ in range(_TRIES):
        try:
            station = await store.station(sender.secret)
            assert station is not None
            receipt = await store.append(station, sender.delivery(after, last))
        except (ProblemError, sqlite3.Error):
            await asyncio.sleep(0.002)
        else:
            return receipt.acked >= last
    return False


# --- before ---------------------------------------------------------------------------


async def _nothing(folder: Path) -> None:
    """Begin with an empty folder."""
    del folder


async def _filled(folder: Path) -> None:
    async with serving(folder) as store:
        for sender in SENDERS:
            await joined(store, sender, sender.secret)
            for after in range(0, _BEFORE, _TOGETHER):
                assert await _send(store, sender, after, after + _TOGETHER)
    files.make_folder(folder / "keys")
    files.write(folder / "keys" / "one", _KEY)


async def _by_other_rules(folder: Path) -> None:
    await _filled(folder)
    with closing(sqlite3.connect(folder / DATABASE)) as database, database:
        database.execute("DELETE FROM meta WHERE name = 'rules'")


async def _backed_up(folder: Path) -> None:
    await _to_back_up(folder)
    backup.make(folder / "data", folder / "backups", NOW)


async def _to_back_up(folder: Path) -> None:
    files.make_folder(folder / "data")
    await _filled(folder / "data")


# --- meanwhile ------------------------------------------------------------------------


async def _taking(folder: Path, tell: Tell) -> None:
    async with serving(folder) as store:
        for after in range(_BEFORE, _LINES, _TOGETHER):
            for sender in SENDERS:
                if await _send(store, sender, after, after + _TOGETHER):
                    tell(f"{sender.name}:{after + _TOGETHER}")


async def _remade(store: SqliteStore) -> None:
    async with asyncio.timeout(10):
        while store.remaking() is not None:  # noqa: ASYNC110 # it tells nobody
            await asyncio.sleep(0.001)


async def _remaking(folder: Path, tell: Tell) -> None:
    async with serving(folder) as store:
        await _remade(store)
        for sender in SENDERS:
            if await _send(store, sender, _BEFORE, _BEFORE + _TOGETHER):
                tell(f"{sender.name}:{_BEFORE + _TOGETHER}")


async def _backing_up(folder: Path, tell: Tell) -> None:
    made, _ = backup.make(folder / "data", folder / "backups", NOW)
    tell(str(made.name))


async def _restoring(folder: Path, tell: Tell) -> None:
    (made,) = (folder / "backups").iterdir()
    backup.restore(made, folder / "anew", NOW)
    tell("restored")


async def _beginning(folder: Path, tell: Tell) -> None:
    async with serving(folder) as store:
        tell(store.identity.server)


@contextmanager
def _next_version() -> Iterator[None]:
    steps = (*schemas.schemas(), NEXT)
    with patch.object(schemas, "schemas", lambda: steps):
        yield


async def _migrating(folder: Path, tell: Tell) -> None:
    with _next_version():
        await _remaking(folder, tell)


# --- afterwards -----------------------------------------------------------------------


async def _judged(folder: Path, told: list[str]) -> Found:
    """Send everything again, and see what there is then."""
    short: list[str] = []
    async with serving(folder) as store:
        await _remade(store)
        for name, _, acked in (text.partition(":") for text in told):
            (sender,) = (one for one in SENDERS if one.name == name)
            state = await store.log(sender.log)
            short += [name] if state is None or state.acked < int(acked) else []
        for sender in SENDERS:
            for after in range(0, _LINES, _TOGETHER):
                assert await _send(store, sender, after, after + _TOGETHER)
    return _sound(folder, _LINES, short)


async def _judged_next(folder: Path, told: list[str]) -> Found:
    with _next_version():
        return await _judged(folder, told)


def _sound(folder: Path, lines: int, lost: list[str]) -> Found:
    codes = [code for sender in SENDERS for code in sender.codes[:lines]]
    found = check(codes, kept(folder))
    with opened(folder / DATABASE) as database:
        findings = report(database, {}).findings
    phantom = found.phantom + [str(finding) for finding in findings]
    return found._replace(lost=found.lost + lost, phantom=phantom)


async def _judged_backup(folder: Path, told: list[str]) -> Found:
    """Whatever says that it is a backup is one; and one can be made."""
    lost: list[str] = []
    for name in told:
        try:
            backup.read(folder / "backups" / name)
        except BackupError as error:
            lost.append(str(error))
    made, _ = backup.make(folder / "data", folder / "backups", NOW + SECOND)
    backup.drop_old(folder / "backups", 5)
    lost += [str(path) for path in (folder / "backups").glob("*.partial")]
    backup.restore(made, folder / "anew", NOW)
    lost += _sound(folder / "data", _BEFORE, []).lost
    return _sound(folder / "anew", _BEFORE, lost)


async def _judged_restore(folder: Path, told: list[str]) -> Found:
    anew = folder / "anew"
    if not told and not (anew / DATABASE).exists():
        (made,) = (folder / "backups").iterdir()
        backup.restore(made, anew, NOW)
    there = (anew / "keys" / "one").read_bytes() == _KEY
    return _sound(anew, _BEFORE, [] if there else ["the key"])


async def _judged_first(folder: Path, told: list[str]) -> Found:
    async with serving(folder) as store:
        other = [name for name in told if name != store.identity.server]
        for sender in SENDERS:
            await joined(store, sender, sender.secret)
    found = await _judged(folder, [])
    return found._replace(lost=found.lost + other)


SCENES: dict[str, tuple[Prepare, Act, Judge]] = {
    "a server that takes lines": (_filled, _taking, _judged),
    "answers made anew": (_by_other_rules, _remaking, _judged),
    "a backup": (_to_back_up, _backing_up, _judged_backup),
    "a restore": (_backed_up, _restoring, _judged_restore),
    "a server's new version": (_filled, _migrating, _judged_next),
    "a server's first start": (_nothing, _beginning, _judged_first),
}
"""The server's scenes: what is before, meanwhile, and what holds afterwards."""
