"""Everything moves from one store to the other and back, wherever it is interrupted."""

import signal
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from server.site import DEFAULT
from server.store import (
    Invitation,
    ItemQuery,
    Joining,
    Station,
    Store,
    file_moving,
    moving,
)
from server.store.moving import Moved
from server.store.postgres import moving as pg_moving
from server.store.whereabouts import half as half_of
from server.transfer import to_file, to_postgres
from shared.errors import StartError
from shared.hosts import HostLine, Topic
from shared.lines import encode
from shared.moments import SECOND, to_text
from tests.contracts.storing import NOW
from tests.faults.stores import Stop, on_file, on_postgres, say_nothing, signed
from tests.postgres import Postgres
from tests.programs import Server, told

LOG = "00000000-0000-4000-8000-000000000001"
ITEM = "P\x00-1"
KEY = Ed25519PrivateKey.generate()


def _lines() -> list[bytes]:
    """Write what all is in: odd keys, voids, what is said, what nobody understands."""
    at = to_text(NOW - 3_600 * SECOND)
    told = [
        {"action": "see", "item": ITEM, "location": f"L-{number}"}
        for number in range(40)
    ]
    told += [
        {"action": "void", "voids": f"{LOG}:40", "reason": "mistyped"},
        {"action": "note", "item": ITEM, "title": "a vase"},
        {"action": "dance", "item": ITEM},
        {"action": "pack", "item": ITEM, "container": "C", "location": "L-2"},
        {"action": "void", "voids": "00000000-0000-4000-8000-000000000002:7"},
    ]
    return [
        encode(HostLine(seq=seq, at=at, **fields))  # type: ignore[arg-type]
        for seq, fields in enumerate(told, 1)
    ]


async def _join(store: Store) -> Station:
    await store.invite(
        Invitation(
            name="SHOP", location=None, kind="host", code_hash=b"c", expires=NOW * 2
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


async def _send(store: Store, station: Station, lines: list[bytes], after: int) -> None:
    await store.append(station, signed(LOG, KEY, lines, after))


async def _all(store: Store) -> tuple[object, ...]:
    answers = {}
    for key in (ITEM, "C"):
        found = await store.item(key)
        answers[key] = (found.status, found.location, found.container, found.path)
    return (
        store.identity,
        await store.events(0, 1_000),
        answers,
        await store.said(Topic.TITLE, None),
        await store.titled(["vase"], 10),
        [(one.name, one.log, one.acked) for one in await store.stations()],
        [one.item for one in (await store.items(ItemQuery())).answers],
        await store.hook_position("shop"),
    )


async def test_f58_an_interrupted_migration_goes_on_and_loses_nothing(
    database: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (moving, file_moving, pg_moving):
        monkeypatch.setattr(module, "MANY", 3)  # lines in a piece
    path, other, url = tmp_path / "a.db", tmp_path / "b.db", database.database()
    lines = _lines()
    async with on_file(path) as store:
        station = await _join(store)
        await store.hook_position("shop")
        for after in range(0, len(lines), 2):
            await _send(store, station, lines[: after + 2], after)
        await store.keep_hook_position("shop", 17)
        was = await _all(store)

    async def refused() -> None:
        with pytest.raises(StartError, match="half moved"):
            async with on_postgres(url):
                pass

    await _interrupted(partial(to_postgres, path, url, DEFAULT), refused)
    async with on_postgres(url) as store:
        assert await _all(store) == was
        more = HostLine(seq=len(lines) + 1, at=to_text(NOW), action="see", item="Q")
        whole = [*lines, encode(more)]
        await _send(store, station, whole, len(lines))
        assert (await store.item("Q")).known
        is_now = await _all(store)

    async def half() -> None:
        assert not other.exists(), "half of it has the name that is served"
        with closing(sqlite3.connect(half_of(other))) as connection:
            (there,) = connection.execute("SELECT count(*) FROM line").fetchone()
        assert there > 0

    copied = await to_file(url, tmp_path / "c.db", DEFAULT, say_nothing, copy=True)
    async with on_postgres(url), on_file(tmp_path / "c.db") as store:
        assert await _all(store) == is_now
    moved = await _interrupted(partial(to_file, url, other, DEFAULT), half)
    assert moved == copied
    assert moved.lines == len(whole)
    async with on_file(other) as store:
        assert await _all(store) == is_now
    with pytest.raises(StartError, match="moved away"):
        async with on_postgres(url):
            pass


async def _interrupted(
    move: Callable[[Callable[[str], None]], Awaitable[Moved]],
    between: Callable[[], Awaitable[None]],
) -> Moved:
    """Move, and stop and begin again at every fourth delivery."""
    stopped: set[str] = set()

    def stopping(text: str) -> None:
        if int(text.split(maxsplit=1)[0]) % 4 == 0 and text not in stopped:
            stopped.add(text)
            raise Stop

    found = None
    while found is None:
        try:
            found = await move(stopping)
        except Stop:
            await between()
    assert len(stopped) > 2, "it was never interrupted"
    return found


async def test_f58_nothing_is_written_over(database: Postgres, tmp_path: Path) -> None:
    url = database.database()
    async with on_postgres(url) as store:
        await _join(store)
    async with on_file(tmp_path / "a.db") as store:
        await _join(store)
    with pytest.raises(StartError, match="other events already"):
        await to_postgres(tmp_path / "a.db", url, DEFAULT, say_nothing)
    before = (tmp_path / "a.db").read_bytes()
    with pytest.raises(StartError, match="it stays as it is"):
        await to_file(url, tmp_path / "a.db", DEFAULT, say_nothing)
    assert (tmp_path / "a.db").read_bytes() == before
    assert not half_of(tmp_path / "a.db").exists()


async def test_f58_what_was_changed_on_the_way_is_found(
    database: Postgres, tmp_path: Path
) -> None:
    url, path = database.database(), tmp_path / "a.db"
    async with on_file(path) as store:
        await _send(store, await _join(store), _lines(), 0)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE line SET line = line || ' ' WHERE seq = 7")
        connection.commit()
    with pytest.raises(StartError, match="not those that were signed"):
        await to_postgres(path, url, DEFAULT, say_nothing)


def test_f58_the_command_moves_a_served_folder(
    database: Postgres, tmp_path: Path
) -> None:
    plain, other = Server(tmp_path / "server"), tmp_path / "server.toml"
    plain.start()
    key = told("scantrail-server", "key", "--data", str(plain.data), "--scope=admin")
    told(
        "scantrail-server", "station-code", "S", f"--server={plain.url}", f"--key={key}"
    )
    plain.stop(signal.SIGTERM)
    other.write_text(f'[store]\nurl = "{database.database()}"\n')
    move = ("scantrail-server", "migrate-store", "--config", str(other))
    where = ("--data", str(plain.data))
    assert "moved and compared" in told(*move, *where, "--to=postgresql")
    moved = Server(tmp_path / "server", other)
    moved.start()
    told(
        "scantrail-server", "station-code", "T", f"--server={moved.url}", f"--key={key}"
    )
    moved.stop(signal.SIGTERM)
    assert "moved and compared" in told(*move, *where, "--to=file")
    plain.start()
    plain.stop(signal.SIGTERM)
