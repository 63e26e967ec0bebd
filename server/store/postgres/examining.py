"""What an administrator should know of a PostgreSQL database, read and nothing else."""

import msgspec

from server.site import Site
from server.store.archive_files import ArchiveFile
from server.store.postgres import opening
from server.store.postgres.archived import files
from server.store.postgres.database import Database

__all__ = ["Kept", "Settings", "kept", "settings"]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How PostgreSQL itself is set up.

    Attributes:
        version: Which it is, such as 15.8.
        size: Bytes that the database takes.
        off: Settings by which a power cut may destroy what was flushed, and are off.
        commit: How commits are waited for, where a server does not say it itself.
        awaited: Standbys that a commit waits for; empty where it waits for none.
        standbys: How many follow now.
    """

    version: str
    size: int
    off: tuple[str, ...]
    commit: str
    awaited: str
    standbys: int


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What a server keeps there: its name, and the files of archived lines."""

    server: str
    archived: list[ArchiveFile]


# A server's own connection sets synchronous_commit: what holds for others is asked.
_SETTINGS = """
SELECT split_part(current_setting('server_version'), ' ', 1),
    pg_database_size(current_database()),
    array_remove(ARRAY[
        CASE WHEN current_setting('fsync') = 'off' THEN 'fsync' END,
        CASE WHEN current_setting('full_page_writes') = 'off'
            THEN 'full_page_writes' END], NULL),
    (SELECT reset_val FROM pg_settings WHERE name = 'synchronous_commit'),
    current_setting('synchronous_standby_names'),
    (SELECT count(*) FROM pg_stat_replication)
"""


def settings(database: Database) -> Settings:
    """Return how PostgreSQL is set up."""
    version, size, off, commit, awaited, standbys = database.one(_SETTINGS)
    return Settings(
        version=version,
        size=size,
        off=tuple(off),
        commit=commit,
        awaited=awaited,
        standbys=standbys,
    )


def kept(database: Database, site: Site) -> Kept:
    """Return what is kept there.

    Raises:
        UnusableError: Nothing can be, or nothing is yet.
        StartError: It is not whole, or answers follow from newer rules.
    """
    meta = opening.look(database, site)
    return Kept(server=meta["server"], archived=files(database))
