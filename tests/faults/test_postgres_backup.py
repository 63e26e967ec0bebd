"""A server on PostgreSQL is backed up, checked, lost, and restored."""

import asyncio
import json
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from server import backup, following
from server.store import Invitation, Joining, Station, Store
from server.store.postgres.store import PostgresStore
from shared.lines import Line, encode
from shared.moments import SECOND, to_moment, to_text
from tests.contracts.storing import NOW
from tests.faults.stores import signed
from tests.postgres import Postgres
from tests.programs import BIN, told

LOG = "00000000-0000-4000-8000-000000000003"
KEY = Ed25519PrivateKey.generate()
LINES = [
    encode(
        Line(
            seq=seq,
            at=to_text(NOW + seq * SECOND),
            action="receive" if seq == 1 else "see",
            item=f"P-{seq % 3}",
            location=f"L-{seq}",
        )
    )
    for seq in range(1, 31)
]

_OTHER_BYTES = """
UPDATE line SET line = replace(convert_from(line, 'UTF8'), 'L-7', 'L-8')::bytea
WHERE seq = 7
"""
_OTHER_TIME = "UPDATE line SET occurred = occurred + 5, hi = hi + 5 WHERE seq = 20"
_OTHER_MOMENT = "UPDATE delivery SET received = received - 1 WHERE last = 10"


def _config(folder: Path, url: str, more: str = "") -> Path:
    path = folder / f"{url.rpartition('/')[2].partition('?')[0]}.toml"
    path.write_text(f'{more}\n[store]\nurl = "{url}"\n')
    return path


async def _joined(store: Store) -> Station:
    later = NOW * 2
    await store.invite(
        Invitation(
            name="DOCK", location=None, kind="station", code_hash=b"c", expires=later
        )
    )
    public = KEY.public_key().public_bytes_raw()
    return await store.enrol(
        Joining(
            code_hash=b"c",
            log=LOG,
            token_hash=b"t",
            public_key=public,
            version="",
            host="",
        )
    )


async def _send(store: Store, station: Station, after: int, last: int) -> None:
    await store.append(station, signed(LOG, KEY, LINES[:last], after))


async def _backed_up(store: Store, wanted: int) -> None:
    async with asyncio.timeout(20):
        while True:
            state = await store.log(LOG)
            if state is not None and state.backed_up == wanted:
                return
            await asyncio.sleep(0.01)


def _fails(*command: str) -> str:
    done = subprocess.run(
        [BIN / command[0], *command[1:]], capture_output=True, check=False, timeout=30
    )
    assert done.returncode != 0
    return (done.stdout + done.stderr).decode()


async def test_what_a_checked_backup_holds_is_told_and_restored(
    database: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "_LOOK", 0.02)
    data, to, url = tmp_path / "data", tmp_path / "backups", database.database()
    data.mkdir()
    config = str(_config(tmp_path, url))
    store = await PostgresStore.open(url, lambda: NOW, clock=lambda: NOW)
    moments: list[int] = []
    watching = asyncio.create_task(
        following.follow_backups(data, store, moments.append)
    )
    make = ("scantrail-server", "backup", "--data", str(data), "--to", str(to))
    try:
        station = await _joined(store)
        for after in range(0, 20, 5):
            await _send(store, station, after, after + 5)
        made = Path(await asyncio.to_thread(told, *make, "--config", config))
        assert backup.read(made).acked[LOG][0] == 20
        assert set(backup.read(made).files) == {"scantrail.db"}
        await _backed_up(store, 20)
        assert set(moments) == {to_moment(backup.read(made).made_at)}
        await _send(store, station, 20, 30)
        assert (await store.log(LOG)).backed_up == 20  # type: ignore[union-attr]
        where = ("--data", str(data), "--to", str(tmp_path / "before"))
        check = ("scantrail-server", "upgrade-check", *where, "--config", config)
        ready = await asyncio.to_thread(told, *check)
        assert ready.endswith("holds 30 lines, checked, as of now")
        await _backed_up(store, 30)
        was = await store.item("P-1")
    finally:
        watching.cancel()
        await store.close()

    # all of PostgreSQL is lost; a new database is filled from the backup
    other, anew = database.database(), tmp_path / "anew"
    server = "scantrail-server"
    told(server, "restore", str(made), "--data", str(anew))
    settings = str(_config(tmp_path, other))
    move = ("migrate-store", "--to=postgresql", "--config", settings)
    told(server, *move, "--data", str(anew))
    store = await PostgresStore.open(other, lambda: NOW, clock=lambda: NOW)
    try:
        assert (await store.log(LOG)).acked == 20  # type: ignore[union-attr]
        again = await store.station(b"t")
        assert again is not None
        await _send(store, again, 20, 30)
        assert (await store.item("P-1")).location == was.location
    finally:
        await store.close()
    where = ("--data", str(anew), "--config", settings)
    (row,) = json.loads(told(server, "restored", "--json", *where))
    assert (row["had"], row["has"]) == (20, 30)
    against = ("--against", str(made))
    assert "as it was received" in told(server, "verify", *where, *against)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (_OTHER_BYTES, "not those that were signed"),
        ("DELETE FROM line WHERE seq = 20", "it is not there"),
        (_OTHER_TIME, "the time when it happened was changed"),
        (_OTHER_MOMENT, "not as it was sealed"),
        ("DELETE FROM delivery WHERE last = 10", "delivery 2 is not there"),
        ("UPDATE line SET log = 77 WHERE seq = 20", "log 77, which is not here"),
    ],
)
async def test_what_was_changed_on_postgresql_is_found(
    database: Postgres, tmp_path: Path, change: str, found: str
) -> None:
    url = database.database()
    config = str(_config(tmp_path, url))
    store = await PostgresStore.open(url, lambda: NOW, clock=lambda: NOW)
    try:
        station = await _joined(store)
        for after in range(0, 20, 5):
            await _send(store, station, after, after + 5)
    finally:
        await store.close()
    where = ("--data", str(tmp_path), "--config", config)
    assert "as it was received" in told("scantrail-server", "verify", *where)
    database.tell(url.rpartition("/")[2].partition("?")[0], change)
    assert found in _fails("scantrail-server", "verify", *where)
    to = tmp_path.with_name(f"{tmp_path.name}-backups")
    _fails("scantrail-server", "backup", *where, "--to", str(to))
    assert not list(to.iterdir()), "what is not sound was kept as a backup"
    assert backup.published(tmp_path) is None


async def test_what_other_actions_would_change_is_shown_from_postgresql(
    database: Postgres, tmp_path: Path
) -> None:
    url = database.database()
    store = await PostgresStore.open(url, lambda: NOW, clock=lambda: NOW)
    try:
        station = await _joined(store)
        await _send(store, station, 0, 3)
    finally:
        await store.close()
    now = str(_config(tmp_path, url))
    new = tmp_path / "new.toml"
    new.write_text('[actions.receive]\nstatus = "angekommen"\n')
    check = ("actions", "--check", "--config", str(new), "--applied", now)
    assert "P-1\tstatus received -> angekommen" in told("scantrail-server", *check)
