"""What the doctor says of PostgreSQL: one plain line of what is wrong, and what to do.

And what commands say where no server ever started on the database.
"""

import asyncio
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from server.cli import main
from server.config import ServerConfig, StoreSettings
from server.doctor import Finding, findings
from server.now import now
from server.store.postgres.store import PostgresStore
from server.transfer import to_file
from tests.postgres import Postgres, postgres, why_not


@pytest.fixture(scope="module")
def durable() -> Iterator[Postgres]:
    """One that flushes, and asks the user ``locked`` for a password."""
    if why_not():
        pytest.skip(why_not())
    with postgres(durable=True) as found:
        found.tell("postgres", "CREATE ROLE locked LOGIN PASSWORD 'right'")
        found.tell("postgres", "CREATE ROLE other LOGIN")
        rules = found.folder / "data" / "pg_hba.conf"
        text = rules.read_text()
        rules.write_text(f"local all locked scram-sha-256\n{text}")
        assert found.tell("postgres", "SELECT pg_reload_conf()") == "t"
        yield found


async def _served(url: str) -> None:
    """Let a server start, and end."""
    await (await PostgresStore.open(url, now)).close()


def _seen(data: Path, url: str, password: str = "") -> list[Finding]:
    data.mkdir(mode=0o700, exist_ok=True)
    store = StoreSettings(url=url, password_file=password)
    config = ServerConfig(data=str(data), port=1, store=store)
    return list(findings(config, time.time()))


def _of_database(found: list[Finding]) -> list[Finding]:
    return [one for one in found if "[store]" in one.text]


@contextmanager
def _without_ssl() -> Iterator[str]:
    """Answer as a PostgreSQL that encrypts nothing; give its address."""
    asked = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                asked.set()
                connection.recv(8)
                connection.sendall(b"N")

        thread = threading.Thread(target=answer)
        thread.start()
        port = listening.getsockname()[1]
        yield f"postgresql://scantrail@127.0.0.1:{port}/x?sslmode=require"
        thread.join()
    assert asked.is_set()


def _as(user: str) -> Callable[[Postgres], str]:
    return lambda found: found.database().replace("scantrail@", f"{user}@")


def _encoded(encoding: str) -> Callable[[Postgres], str]:
    def make(found: Postgres) -> str:
        name = f"in_{encoding.lower()}"
        found.tell(
            "postgres",
            f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}'",
        )
        return found.url(name)

    return make


def _others(found: Postgres) -> str:
    """Make a database whose tables belong to another user."""
    url = found.database()
    asyncio.run(_served(url))
    return url.replace("scantrail@", "other@")


def _moved(found: Postgres) -> str:
    url = found.database()
    asyncio.run(_served(url))
    name = url.partition("@/")[2].partition("?")[0]
    found.tell(name, "INSERT INTO meta VALUES ('moved', '2026-11-25')")
    return url


@pytest.mark.parametrize(
    ("make", "what", "do"),
    [
        (_as("locked"), "password", "password_file"),
        (_as("nobody_knows"), 'role "nobody_knows" does not exist', "CREATE ROLE"),
        (lambda p: p.url("gone"), 'database "gone" does not exist', "CREATE DATABASE"),
        (
            lambda _: "postgresql://scantrail@127.0.0.1:1/x",
            "nothing listens there",
            "Start PostgreSQL",
        ),
        (lambda _: "postgresql:///x?host=/not-there", "no socket", "Start PostgreSQL"),
        (_encoded("LATIN1"), "its encoding is LATIN1", "ENCODING 'UTF8'"),
        (_encoded("SQL_ASCII"), "its encoding is SQL_ASCII", "ENCODING 'UTF8'"),
        (_others, "permission denied", "own the database"),
    ],
)
def test_doctor_says_in_a_line_why_a_database_cannot_be_used(
    durable: Postgres,
    tmp_path: Path,
    make: Callable[[Postgres], str],
    what: str,
    do: str,
) -> None:
    secret = tmp_path / "password"
    secret.write_text("wrong")
    (seen,) = _of_database(_seen(tmp_path / "data", make(durable), str(secret)))
    assert seen.severity == "wrong"
    assert what in seen.text
    assert do in seen.do
    assert "\n" not in seen.text + seen.do


def test_doctor_sees_that_postgresql_does_not_encrypt(tmp_path: Path) -> None:
    with _without_ssl() as url:
        (seen,) = _of_database(_seen(tmp_path / "data", url))
    assert (seen.severity, "ssl = on" in seen.do) == ("wrong", True)


def test_doctor_sees_a_password_file_that_is_not_there(
    durable: Postgres, tmp_path: Path
) -> None:
    gone = tmp_path / "gone"
    (seen,) = _of_database(_seen(tmp_path / "data", durable.url("postgres"), str(gone)))
    assert (seen.severity, str(gone) in seen.text) == ("wrong", True)
    assert "write the password" in seen.do


def test_doctor_sees_a_database_in_which_nothing_is_yet(
    durable: Postgres, tmp_path: Path
) -> None:
    (seen,) = _of_database(_seen(tmp_path / "data", durable.database()))
    assert (seen.severity, seen.do) == ("warning", "start a server first")


def test_doctor_sees_a_database_that_moved_away(
    durable: Postgres, tmp_path: Path
) -> None:
    (seen,) = _of_database(_seen(tmp_path / "data", _moved(durable)))
    assert (seen.severity, "moved away" in seen.text) == ("wrong", True)


def test_doctor_finds_nothing_wrong_where_nothing_is(
    durable: Postgres, tmp_path: Path
) -> None:
    url = durable.database()
    asyncio.run(_served(url))
    found = _seen(tmp_path / "data", url)
    assert not _of_database(found)
    assert any("PostgreSQL 1" in one.text and "answers" in one.text for one in found)
    assert not any("is off on PostgreSQL" in one.text for one in found)


def test_doctor_sees_settings_by_which_a_power_cut_destroys_what_was_confirmed(
    database: Postgres, tmp_path: Path
) -> None:
    found = _seen(tmp_path / "data", database.database())
    off = {one.text.split()[0] for one in found if "a power cut" in one.text}
    assert off == {"fsync", "full_page_writes"}
    assert {one.severity for one in found if "a power cut" in one.text} == {"wrong"}
    assert any("servers turn it on" in one.text for one in found)


def test_doctor_sees_standbys_that_no_commit_waits_for(tmp_path: Path) -> None:
    if why_not():
        pytest.skip(why_not())
    with postgres() as primary, _following(primary):
        url = primary.url("postgres")
        found = _seen(tmp_path / "data", url)
        assert any("1 standbys follow, and no commit" in one.text for one in found)
        statement = "ALTER SYSTEM SET synchronous_standby_names = '*'"
        primary.tell("postgres", statement)
        assert primary.tell("postgres", "SELECT pg_reload_conf()") == "t"
        _once(primary, "SHOW synchronous_standby_names", "*")
        found = _seen(tmp_path / "data", url)
        assert any(one.text == "a commit waits for standbys: *" for one in found)


@contextmanager
def _following(primary: Postgres) -> Iterator[None]:
    """Run a standby, until the context ends."""
    folder = Path(tempfile.mkdtemp(prefix="scantrail-pg-"))
    standby = Postgres(folder, durable=False)
    try:
        standby.follow(primary)
        standby.start()
        _once(primary, "SELECT count(*) FROM pg_stat_replication", "1")
        yield
    finally:
        standby.stop()
        shutil.rmtree(folder)


def _once(found: Postgres, question: str, answer: str) -> None:
    """Return once it answers so."""
    end = time.monotonic() + 30
    while found.tell("postgres", question) != answer:
        assert time.monotonic() < end


def test_commands_say_that_nothing_is_kept_yet(
    database: Postgres, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, file = tmp_path / "data", tmp_path / "server.toml"
    data.mkdir(mode=0o700)
    url = database.database()
    file.write_text(f'data = "{data}"\n[store]\nurl = "{url}"\n')
    named = ("--config", str(file), "--data", str(data))
    to = ("--to", str(tmp_path / "copies"))
    for command in (
        ("verify", *named),
        ("verify", "--answers", *named),
        ("backup", *named, *to),
        ("upgrade-check", *named, *to),
        ("restored", *named),
        ("retime", *named),
        ("archive", *named, "--before", "2026-01"),
        ("migrate-store", *named, "--to", "file"),
    ):
        assert main(command) == 1, command
        said = capsys.readouterr().err
        assert said == (
            "scantrail-server: nothing is kept in the database of [store] url yet: "
            "start a server first\n"
        ), command
    assert [path.name for path in data.iterdir()] == ["lock"]


def test_doctor_asks_the_process_at_the_port_that_is_named(
    database: Postgres, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, file = tmp_path / "data", tmp_path / "server.toml"
    data.mkdir(mode=0o700)
    file.write_text(f'data = "{data}"\n[store]\nurl = "{database.database()}"\n')
    named = ("doctor", "--config", str(file), "--port", "1", "--json")
    assert main(named) == 1
    found = msgspec.json.decode(capsys.readouterr().out, type=list[Finding])
    assert any("http://127.0.0.1:1/readyz does not answer" in one.text for one in found)


async def test_a_copy_of_what_is_not_there_makes_no_file(
    database: Postgres, tmp_path: Path
) -> None:
    path = tmp_path / "copy.db"
    with pytest.raises(Exception, match="nothing is kept"):
        await to_file(
            database.database(), path, ServerConfig().site(), print, copy=True
        )
    assert not path.exists()
