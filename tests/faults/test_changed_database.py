"""Somebody with access to the server's database changes what was received (F-59)."""

import asyncio
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from server.delivery import Delivery
from server.store import Invitation, Joining
from server.store.audit import Report, opened, report
from server.store.sqlite import SqliteStore
from shared import chain
from shared.lines import Line, encode
from shared.moments import SECOND, to_text
from shared.protocol import ClockReading

NOW = 1_777_000_000 * SECOND
DELIVERIES = 4
LINES = 2

ONE_MORE = (
    "INSERT INTO line SELECT 100, log, 9, received, occurred, lo, hi, basis, NULL, line"
    " FROM line WHERE seq = 8"
)
CHANGES = (
    "UPDATE line SET line = replace(line, 'P-3', 'P-4') WHERE seq = 3",
    "UPDATE line SET line = CAST(line || ' ' AS BLOB) WHERE seq = 8",
    "UPDATE line SET received = received + 1 WHERE seq = 4",
    "UPDATE line SET occurred = 0, lo = 0 WHERE seq = 6",
    "UPDATE line SET occurred = hi + 1 WHERE seq = 6",
    "UPDATE line SET occurred = occurred + 5, lo = lo + 5, hi = hi + 5 WHERE seq = 8",
    "UPDATE log SET occurred = occurred + 1",
    "UPDATE line SET position = 100 WHERE seq = 2",
    "UPDATE line SET seq = 100 WHERE seq = 8",
    "DELETE FROM line WHERE seq = 1",
    "DELETE FROM line WHERE seq = 5",
    "DELETE FROM line WHERE seq = 8",
    ONE_MORE,
    "UPDATE delivery SET received = received + 1 WHERE number = 2",
    "UPDATE delivery SET clock = NULL WHERE number = 2",
    "UPDATE delivery SET head = zeroblob(32) WHERE number = 2",
    "UPDATE delivery SET signature = zeroblob(64) WHERE number = 3",
    "UPDATE delivery SET public_key = zeroblob(32) WHERE number = 3",
    "UPDATE delivery SET seal = zeroblob(32) WHERE number = 1",
    "DELETE FROM delivery WHERE number = 2",
    "DELETE FROM delivery WHERE number = 4",
    "UPDATE log SET acked = 7",
    "UPDATE log SET head = zeroblob(32)",
    "UPDATE log SET name = replace(name, '-', '+')",
    "UPDATE station SET name = 'SOMEBODY-ELSE'",
    "UPDATE meta SET value = 'other' WHERE name = 'server'",
)


async def _fill(path: Path) -> None:
    """Let a station join, and take deliveries of a few lines each from it."""
    store = await SqliteStore.open(path, lambda: NOW)
    log, key = str(uuid4()), Ed25519PrivateKey.generate()
    await store.invite(
        Invitation(
            name="DOCK",
            location=None,
            kind="station",
            code_hash=b"code",
            expires=NOW + 1,
        )
    )
    dock = await store.enrol(
        Joining(
            code_hash=b"code",
            log=log,
            token_hash=b"token",
            public_key=key.public_key().public_bytes_raw(),
            version="",
            host="",
        )
    )
    head = chain.start(log)
    for after in range(0, DELIVERIES * LINES, LINES):
        lines = [_line(seq) for seq in range(after + 1, after + LINES + 1)]
        heads = chain.walk(head, lines)
        head = heads[-1]
        message = chain.signed_message(log, after + LINES, head)
        clock = ClockReading(at=NOW, boot="boot", mono=after, synced=True)
        delivery = Delivery(
            log=log,
            after=after,
            lines=lines,
            heads=heads,
            signature=key.sign(message),
            clock=clock,
        )
        await store.append(dock, delivery)
    await store.close()


def _line(seq: int) -> bytes:
    return encode(
        Line(seq=seq, at=to_text(NOW - SECOND), action="see", item=f"P-{seq}")
    )


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with a few deliveries of a few lines each."""
    path = tmp_path_factory.mktemp("kept") / "scantrail.db"
    asyncio.run(_fill(path))
    return path


def _report(path: Path, marks: dict[int, str] | None = None) -> Report:
    with opened(path) as connection:
        return report(connection, marks or {})


def test_f59_what_was_received_is_found_sound(kept: Path) -> None:
    found = _report(kept)
    assert found.findings == []
    assert (found.lines, found.logs) == (DELIVERIES * LINES, 1)
    assert found.deliveries == DELIVERIES


@pytest.mark.parametrize("change", CHANGES)
def test_f59_a_change_of_any_row_is_found(
    kept: Path, tmp_path: Path, change: str
) -> None:
    path = tmp_path / "changed.db"
    shutil.copy(kept, path)
    with closing(sqlite3.connect(path)) as database, database:
        assert database.execute(change).rowcount == 1
    assert _report(path).findings


def test_f59_a_tail_cut_off_everywhere_is_found_by_an_older_seal(
    kept: Path, tmp_path: Path
) -> None:
    whole = _report(kept)
    path = tmp_path / "cut.db"
    shutil.copy(kept, path)
    with closing(sqlite3.connect(path)) as database, database:
        database.executescript(
            "DELETE FROM line WHERE seq > 6; DELETE FROM delivery WHERE number > 3;"
            "UPDATE log SET acked = 6, head = (SELECT head FROM delivery d"
            " WHERE d.number = 3)"
        )
    assert _report(path).findings == []
    (found,) = _report(path, {whole.deliveries: whole.seal}).findings
    assert "deliveries 4 to 4" in found.text
