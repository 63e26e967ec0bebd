"""What is said of a file or a database from which all moved, or only half."""

import asyncio
import shutil
import signal
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from server import transfer
from server.site import DEFAULT
from server.store import Invitation, Joining, Station, Store
from server.store.file_moving import MovingFile
from server.store.postgres import moving as pg_moving
from server.store.whereabouts import half
from server.transfer import to_file, to_postgres
from shared.errors import StartError
from shared.lines import Line, encode
from shared.moments import SECOND, to_text
from tests.contracts.storing import NOW
from tests.faults.stores import Stop, on_file, on_postgres, say_nothing, signed
from tests.postgres import Postgres
from tests.programs import BIN, Server, told

LOG = "00000000-0000-4000-8000-000000000007"
KEY = Ed25519PrivateKey.generate()
LINES = [
    encode(
        Line(
            seq=seq,
            at=to_text(NOW + seq * SECOND),
            action="see",
            item=f"P-{seq % 3}",
            location=f"L-{seq}",
        )
    )
    for seq in range(1, 31)
]
DATABASE = "scantrail.db"


def _stops(*_: object) -> None:
    raise Stop


async def _joined(store: Store, name: str = "DOCK", code: bytes = b"c") -> Station:
    await store.invite(
        Invitation(
            name=name, location=None, kind="station", code_hash=code, expires=NOW * 2
        )
    )
    return await store.enrol(
        Joining(
            code_hash=code,
            log=LOG if name == "DOCK" else LOG.replace("7", "8"),
            token_hash=b"t" if name == "DOCK" else name.encode(),
            public_key=KEY.public_key().public_bytes_raw(),
            version="",
            host="",
        )
    )


async def _send(store: Store, after: int, last: int) -> None:
    station = await store.station(b"t")
    assert station is not None
    await store.append(station, signed(LOG, KEY, LINES[:last], after))


async def _acked(store: Store) -> int:
    state = await store.log(LOG)
    return state.acked if state else 0


async def _fill(store: Store, last: int = 10) -> None:
    await _joined(store)
    for after in range(0, last, 5):
        await _send(store, after, after + 5)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A server's folder."""
    folder = tmp_path / "main"
    folder.mkdir(mode=0o700)
    return folder


def _settings(folder: Path, url: str) -> Path:
    path = folder / "server.toml"
    path.write_text(f'[store]\nurl = "{url}"\n')
    return path


def _fails(*options: str | Path) -> str:
    """Run the program, which must fail with a sentence; return that."""
    done = subprocess.run(
        [BIN / "scantrail-server", *options],
        capture_output=True,
        check=False,
        timeout=30,
    )
    said = (done.stdout + done.stderr).decode()
    assert done.returncode == 1, said
    assert "Traceback" not in said
    return said


def _move(data: Path, settings: Path, *how: str) -> str:
    where = ("--data", str(data), "--config", str(settings))
    return told("scantrail-server", "migrate-store", *where, *how)


def _everything(data: Path, folder: Path) -> dict[str, tuple[str | Path, ...]]:
    """Return the commands that open the file of a folder."""
    to = folder / "backups"
    return {
        "serve": ("serve", "--data", data, "--port", "0"),
        "backup": ("backup", "--data", data, "--to", to),
        "upgrade-check": ("upgrade-check", "--data", data, "--to", to),
        "verify": ("verify", "--data", data),
        "answers": ("verify", "--data", data, "--answers"),
        "restored": ("restored", "--data", data),
        "archive": ("archive", "--data", data, "--before", "2020-01"),
        "retime": ("retime", "--data", data),
        "doctor": ("doctor", "--data", data),
    }


COMMANDS = tuple(_everything(Path(), Path()))


# --- there and back -------------------------------------------------------------------


async def test_f58_a_company_goes_to_postgresql_and_back_into_its_folder(
    database: Postgres, data: Path
) -> None:
    path, url = data / DATABASE, database.database()
    settings = _settings(data.parent, url)
    async with on_file(path) as store:
        await _fill(store)
    await asyncio.to_thread(_move, data, settings, "--to=postgresql")
    async with on_postgres(url) as store:
        await _send(store, 10, 20)
        await _joined(store, "GATE", b"d")
        was = store.identity, await store.events(0, 100)
    said = await asyncio.to_thread(_move, data, settings, "--to=file")
    assert "20 lines of 2 logs" in said
    async with on_file(path) as store:
        assert (store.identity, await store.events(0, 100)) == was
    (old,) = data.glob(f"{DATABASE}.before-*")  # noqa: ASYNC240 # nobody waits
    with closing(sqlite3.connect(old)) as connection:
        assert connection.execute("SELECT count(*) FROM line").fetchone() == (10,)
    assert not half(path).exists()
    with pytest.raises(StartError, match="moved away"):
        await to_file(url, path, DEFAULT, say_nothing)  # it is done


async def test_f58_what_the_database_lacks_is_not_put_aside(
    database: Postgres, data: Path
) -> None:
    """The same server's, which was written after all, on a copy of the folder."""
    path, url = data / DATABASE, database.database()
    async with on_file(path) as store:
        await _fill(store)
    shutil.copy(path, data / "before.db")
    await to_postgres(path, url, DEFAULT, say_nothing)
    (data / "before.db").replace(path)
    async with on_file(path) as store:
        await _send(store, 10, 20)
    async with on_postgres(url) as store:
        await _send(store, 10, 15)
    with pytest.raises(StartError, match="it stays as it is"):
        await to_file(url, path, DEFAULT, say_nothing)
    assert not half(path).exists()
    async with on_file(path) as store:
        assert await _acked(store) == 20


async def test_f58_a_copy_never_takes_the_place_of_a_file(
    database: Postgres, data: Path
) -> None:
    path, url = data / DATABASE, database.database()
    async with on_file(path) as store:
        await _fill(store)
    await to_postgres(path, url, DEFAULT, say_nothing)
    with pytest.raises(StartError, match="it stays as it is"):
        await to_file(url, path, DEFAULT, say_nothing, copy=True)
    await to_file(url, data / "copy.db", DEFAULT, say_nothing, copy=True)
    async with on_file(data / "copy.db") as store:
        assert await _acked(store) == 10


# --- killed on the way ----------------------------------------------------------------


async def test_f58_a_half_moved_file_is_never_served(
    database: Postgres, data: Path
) -> None:
    path, url = data / DATABASE, database.database()
    async with on_postgres(url) as store:
        await _fill(store)
    with pytest.raises(Stop):
        await to_file(url, path, DEFAULT, _stops)
    for name, command in _everything(data, data.parent).items():
        said = await asyncio.to_thread(_fails, *command)
        assert "is only half moved: run the same" in said, name
        assert not path.exists(), name
    await to_file(url, path, DEFAULT, say_nothing)
    async with on_file(path) as store:
        assert await _acked(store) == 10


@pytest.mark.parametrize(
    "command", ["verify", "answers", "backup", "restored", "retime", "doctor"]
)
async def test_f58_a_half_moved_database_is_told_of(
    database: Postgres, data: Path, command: str
) -> None:
    path, url = data / DATABASE, database.database()
    settings = _settings(data.parent, url)
    async with on_file(path) as store:
        await _fill(store)
    with pytest.raises(Stop):
        await to_postgres(path, url, DEFAULT, _stops)
    asked = _everything(data, data.parent)[command]
    said = await asyncio.to_thread(_fails, *asked, "--config", settings)
    assert "is only half moved: run the same" in said
    async with on_file(path) as store:  # all is still here
        await _send(store, 10, 15)


async def test_f58_a_kill_before_the_last_commit_leaves_nothing_to_serve_twice(
    database: Postgres, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, url = data / DATABASE, database.database()
    async with on_file(path) as store:
        await _fill(store)
    leave = MovingFile.leave

    def leave_and_stop(self: MovingFile, moment: str, where: str) -> None:
        leave(self, moment, where)
        raise Stop

    with monkeypatch.context() as patch:
        patch.setattr(MovingFile, "leave", leave_and_stop)
        with pytest.raises(Stop):
            await to_postgres(path, url, DEFAULT, say_nothing)
    with pytest.raises(StartError, match="moved away"):
        async with on_file(path):
            pass
    with pytest.raises(StartError, match="half moved"):
        async with on_postgres(url):
            pass
    await to_postgres(path, url, DEFAULT, say_nothing)
    async with on_postgres(url) as store:
        assert await _acked(store) == 10
    with pytest.raises(StartError, match="moved away"):
        await to_postgres(path, database.database(), DEFAULT, say_nothing)


async def test_f58_a_database_that_fails_its_check_is_not_served(
    database: Postgres, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, url = data / DATABASE, database.database()
    async with on_file(path) as store:
        await _fill(store)
    write = pg_moving.write

    def write_less(*given: object, **named: object) -> None:
        write(*given, **named)  # type: ignore[arg-type]
        given[0].do("DELETE FROM line WHERE seq = 3")  # type: ignore[attr-defined]

    monkeypatch.setattr(pg_moving, "write", write_less)
    with pytest.raises(StartError, match="line 3"):
        await to_postgres(path, url, DEFAULT, say_nothing)
    with pytest.raises(StartError, match="half moved"):
        async with on_postgres(url):
            pass
    async with on_file(path) as store:
        await _send(store, 10, 15)


async def test_f58_a_kill_before_the_file_has_its_name_is_gone_on_from(
    database: Postgres, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, url = data / DATABASE, database.database()
    async with on_file(path) as store:
        await _fill(store)
    await to_postgres(path, url, DEFAULT, say_nothing)
    with monkeypatch.context() as patch:
        patch.setattr(transfer, "settle", _stops)
        with pytest.raises(Stop):
            await to_file(url, path, DEFAULT, say_nothing)
    for opened in (on_file(path), on_postgres(url)):
        with pytest.raises(StartError, match=r"half moved|moved away"):
            async with opened:
                pass
    await to_file(url, path, DEFAULT, say_nothing)
    async with on_file(path) as store:
        assert await _acked(store) == 10


async def test_f58_servers_may_go_on_where_the_database_was_not_left(
    database: Postgres, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, url = data / DATABASE, database.database()
    async with on_postgres(url) as store:
        await _fill(store)
    with monkeypatch.context() as patch:
        patch.setattr(pg_moving, "leave", _stops)
        with pytest.raises(Stop):
            await to_file(url, path, DEFAULT, say_nothing)
    async with on_postgres(url) as store:
        await _send(store, 10, 20)
        await _joined(store, "GATE", b"d")
    await to_file(url, path, DEFAULT, say_nothing)
    async with on_file(path) as store:
        assert await _acked(store) == 20
        assert {one.name for one in await store.stations()} == {"DOCK", "GATE"}


# --- the file that was left -----------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
async def test_f58_the_file_that_was_left_says_where_its_events_are(
    database: Postgres, data: Path, command: str
) -> None:
    url = database.database().replace("@", ":geheim@")
    async with on_file(data / DATABASE) as store:
        await _fill(store)
    await to_postgres(data / DATABASE, url, DEFAULT, say_nothing)
    copy = data.with_name("copy")
    shutil.copytree(data, copy)
    name = url.rpartition("/")[2].partition("?")[0]
    for folder in (data, copy):
        asked = _everything(folder, data.parent)[command]
        said = await asyncio.to_thread(_fails, *asked)
        assert "moved away at" in said
        assert f"PostgreSQL (database {name} at {database.folder})" in said
        assert "geheim" not in said
    assert not list(data.parent.glob("backups/*")), "a backup of what is old was kept"


async def test_f58_what_moved_to_a_lost_database_is_taken_back(
    database: Postgres, data: Path
) -> None:
    path, url = data / DATABASE, database.database()
    async with on_file(path) as store:
        await _fill(store)
        was = store.identity
    await to_postgres(path, url, DEFAULT, say_nothing)
    async with on_postgres(url) as store:
        await _send(store, 10, 20)
    back = ("migrate-store", "--data", str(data), "--take-back")
    said = await asyncio.to_thread(told, "scantrail-server", *back)
    assert "as a new epoch" in said
    assert "can be served as it is" in await asyncio.to_thread(_fails, *back)
    async with on_file(path) as store:
        assert store.identity.server == was.server
        assert store.identity.epoch != was.epoch
        assert await _acked(store) == 10
        await _send(store, 10, 20)
    where = ("restored", "--data", str(data))
    assert "the backup held 10" in await asyncio.to_thread(
        told, "scantrail-server", *where
    )


# --- the order of things --------------------------------------------------------------


def test_f58_a_server_that_was_started_too_early_is_no_hindrance(
    database: Postgres, data: Path
) -> None:
    settings = _settings(data.parent, database.database())
    early = Server(data, settings)
    early.start()
    early.stop(signal.SIGTERM)
    log = data.with_name("server.log").read_text()
    assert "were never moved to the database" not in log  # nothing is in it yet

    async def fill() -> None:
        async with on_file(data / DATABASE) as store:
            await _fill(store)

    asyncio.run(fill())
    early.start()
    early.stop(signal.SIGTERM)
    log = data.with_name("server.log").read_text()
    assert "has 10 lines that were never moved to the database" in log
    doctor = _fails("doctor", "--data", data, "--config", settings)
    assert "has 10 lines that were never moved to the database" in doctor
    assert "moved and compared: 10 lines" in _move(data, settings, "--to=postgresql")
    early.start()
    early.stop(signal.SIGTERM)
    log = data.with_name("server.log").read_text()
    assert log.count("were never moved to the database") == 1


async def test_f58_a_station_that_is_known_is_no_empty_database(
    database: Postgres, data: Path
) -> None:
    url = database.database()
    async with on_file(data / DATABASE) as store:
        await _fill(store)
    async with on_postgres(url) as store:
        await _joined(store)
    with pytest.raises(StartError, match="other events already"):
        await to_postgres(data / DATABASE, url, DEFAULT, say_nothing)
    async with on_postgres(url) as store:
        assert await store.station(b"t") is not None


@pytest.mark.parametrize(
    "command",
    [
        ("migrate-store", "--to=file"),
        ("migrate-store", "--to=file", "--copy"),
        ("verify",),
        ("archive", "--before=2020-01"),
    ],
)
def test_what_no_server_made_is_said_to_be_so(
    database: Postgres, data: Path, command: tuple[str, ...]
) -> None:
    settings = _settings(data.parent, database.database())
    where = ("--data", data, "--config", settings)
    assert "nothing is kept in the database" in _fails(*command, *where)
    assert not list(data.glob(f"{DATABASE}*"))


def test_a_user_who_owns_nothing_is_told_what_to_do(
    database: Postgres, data: Path
) -> None:
    url = database.database()
    name = url.rpartition("/")[2].partition("?")[0]
    database.tell(name, "CREATE ROLE nobodys LOGIN")
    database.tell(name, "REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    settings = _settings(data.parent, url.replace("scantrail@", "nobodys@"))

    async def make() -> None:
        async with on_file(data / DATABASE):
            pass

    asyncio.run(make())
    where = ("--data", data, "--config", settings)
    for command in (("serve", "--port=0"), ("migrate-store", "--to=postgresql")):
        said = _fails(*command, *where)
        assert "permission denied for schema public" in said
        assert "ALTER DATABASE" in said
