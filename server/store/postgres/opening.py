"""Making the tables on PostgreSQL, and finding what is there."""

from collections.abc import Mapping
from importlib import resources
from uuid import uuid4

from server.seals import begin
from server.site import Site
from server.store.postgres import locks, rebuild
from server.store.postgres.database import Database
from server.store.postgres.moving import MOVED, MOVING
from server.store.postgres.rebuild import FORMER
from server.store.postgres.shelf import create, part
from server.store.postgres.unusable import NothingYetError, UnusableError
from server.store.rebuild import rules
from shared.errors import StartError

__all__ = [
    "SCHEMA_VERSION",
    "look",
    "make",
    "must_be_here",
    "must_be_there",
    "must_be_whole",
    "note_ready",
    "noted",
    "prepare",
]

SCHEMA_VERSION = 1
_OLDEST = 140_000
"""PostgreSQL 14: the first that finds the parts of a table that an update needs."""
_ENCODED = (
    "Create another one with ENCODING 'UTF8' (TEMPLATE template0), and name that in "
    "[store] url"
)


def prepare(database: Database, site: Site) -> dict[str, str]:
    """Make what is missing, and return what is noted; to be run in a transaction.

    Raises:
        StartError: The database cannot be used; nothing was changed.
    """
    meta = make(database, site)
    must_be_whole(meta)
    _must_not_go_back(database, meta, site)
    return meta


def make(database: Database, site: Site) -> dict[str, str]:
    """Make what is missing, whatever is half moved here; return what is noted."""
    _check(database)
    locks.alone(database)  # of several that start at once, one makes it
    (there,) = database.one("SELECT to_regclass('meta') IS NOT NULL")
    if not there:
        _create(database, site)
    return noted(database)


def look(database: Database, site: Site) -> dict[str, str]:
    """Return what is noted of a database that can be served from; change nothing.

    Raises:
        UnusableError: It cannot, or no server ever started on it.
        StartError: It is not whole, or answers follow from newer rules.
    """
    _check(database)
    meta = noted(database)
    must_be_whole(meta)
    _must_not_go_back(database, meta, site)
    return meta


def must_be_there(database: Database) -> None:
    """See that a server has made its tables.

    Raises:
        NothingYetError: None has.
    """
    (there,) = database.one("SELECT to_regclass('archive') IS NOT NULL")
    if not there:
        raise NothingYetError


def noted(database: Database) -> dict[str, str]:
    """Return what is noted of a server's database.

    Raises:
        NothingYetError: No server ever started on it.
        StartError: It has another version of the schema.
    """
    must_be_there(database)
    meta = {name: value for name, value in database.rows("SELECT * FROM meta")}  # noqa: C416 # rows are no pairs
    version = int(meta.get("schema", "0"))
    if version != SCHEMA_VERSION:
        reason = (
            f"the database of [store] url has version {version} of the schema, this "
            f"program knows {SCHEMA_VERSION}. Install the version that wrote it, or "
            "name another database. Nothing was changed."
        )
        raise StartError(reason)
    return meta


def must_be_here(database: Database) -> None:
    """See that all of a server's database is there.

    Raises:
        StartError: It is none, is half moved here, or all of it moved away.
    """
    must_be_whole(noted(database))


def must_be_whole(meta: Mapping[str, str]) -> None:
    """See by what is noted of a database that all of it is there.

    Raises:
        StartError: It is half moved here, or all of it moved away.
    """
    if MOVING in meta:
        reason = (
            "the database of [store] url is only half moved: run the same "
            "scantrail-server migrate-store again"
        )
        raise StartError(reason)
    if MOVED in meta:
        reason = (
            f"all events of the database of [store] url moved away at {meta[MOVED]}: "
            "go on without [store] url, from the file that they moved to"
        )
        raise StartError(reason)


def _must_not_go_back(database: Database, meta: Mapping[str, str], site: Site) -> None:
    """See that no server which was left behind takes former rules back.

    Raises:
        StartError: Its rules were replaced by those by which another one serves.
    """
    noted = meta["rules"]
    was_replaced = rules(site) in meta.get(FORMER, "").split()
    if was_replaced and noted != rules(site) and locks.is_served_by(database, noted):
        reason = (
            "answers follow from newer rules than those of this server: another one, "
            "which runs, has a newer version or other settings of actions and "
            "deadlines. Give this one the same. To go back to what this one has, stop "
            "all others first. Nothing was changed."
        )
        raise StartError(reason)


def _check(database: Database) -> None:
    version, encoding, standby = database.one(
        "SELECT current_setting('server_version_num')::integer,"
        " current_setting('server_encoding'), pg_is_in_recovery()"
    )
    if version < _OLDEST:
        what = f"PostgreSQL {version // 10_000} is too old"
        raise UnusableError(what, "Bring it to 14 or newer")
    if encoding != "UTF8":
        what = f"its encoding is {encoding}"
        raise UnusableError(what, _ENCODED)
    if standby:
        what = "it is a standby, which takes no writes"
        raise UnusableError(what, "Name the primary in [store] url, too")


def _create(database: Database, site: Site) -> None:
    schema = resources.files("server.store.postgres").joinpath("schema.sql")
    database.do(schema.read_text("utf-8"))
    part(database, "line")
    create(database, "")
    server = str(uuid4())
    database.many(
        "INSERT INTO meta (name, value) VALUES ($1, $2)",
        [
            ("server", server),
            ("epoch", str(uuid4())),
            ("schema", str(SCHEMA_VERSION)),
        ],
    )
    database.do(
        "INSERT INTO turn (position, number, received, seal, said)"
        " VALUES (0, 0, 0, $1, 0)",
        begin(server),
    )
    rebuild.note(database, site)


def note_ready(database: Database, now: int) -> None:
    """Write something, as a sign that writes are taken."""
    database.do(
        "INSERT INTO meta (name, value) VALUES ('ready', $1)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        str(now),
    )
