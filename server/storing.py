"""Which store the settings ask for."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import quote, urlsplit

from server.archiving import Kept
from server.config import StoreSettings
from server.site import Site
from server.store import Store, audit
from server.store.archiving import FileArchiving
from server.store.sqlite import SqliteStore
from shared.data_folders import ARCHIVE, DATABASE
from shared.errors import StartError
from shared.settings_file import read_secret_file

__all__ = ["address", "archiving", "driver_missing", "left_behind", "opened"]


async def opened(
    settings: StoreSettings, data: Path, now: Callable[[], int], site: Site
) -> Store:
    """Open the store.

    Raises:
        StartError: It cannot be used; the text says what to do.
        ConfigError: The file with its password cannot be read.
    """
    if not settings.url:
        return await SqliteStore.open(data / DATABASE, now, site)
    with driver_missing():
        from server.store.postgres.store import PostgresStore  # noqa: PLC0415 # not everywhere
    return await PostgresStore.open(
        address(settings), now, site, archive=data / ARCHIVE
    )


@contextmanager
def archiving(settings: StoreSettings, data: Path) -> Iterator[Kept]:
    """Open the database to take lines out of it, or to look at what is archived.

    Raises:
        StartError: It cannot be used; the text says what to do.
    """
    if settings.url:
        with driver_missing():
            from server.store.postgres.archiving import PostgresArchiving  # noqa: PLC0415 # not everywhere
        with closing(PostgresArchiving(address(settings), data / ARCHIVE)) as there:
            yield there
    else:
        with closing(FileArchiving(data / DATABASE)) as here:
            yield here


def left_behind(data: Path, server: str = "") -> str:
    """Say of the file in a data folder that it has lines which were never moved.

    Args:
        data: The folder of a server that keeps events on PostgreSQL.
        server: Which server that is, if that is known: a copy of its own is none.

    Returns:
        A sentence; empty where there are none.
    """
    path = data / DATABASE
    if not path.exists():
        return ""
    with suppress(StartError), audit.opened(path) as file:
        (name,) = file.execute(
            "SELECT value FROM meta WHERE name = 'server'"
        ).fetchone()
        (lines,) = file.execute("SELECT max(position) FROM line").fetchone()
        if lines and name != server:
            return (
                f"{path} has {lines} lines that were never moved to the database of "
                "[store] url: nothing is answered from them. If they are this site's, "
                "stop all servers, and run scantrail-server migrate-store --to "
                "postgresql into an empty database; else take that file away"
            )
    return ""  # none, or they moved


@contextmanager
def driver_missing() -> Iterator[None]:
    """Say how to get the driver, where an import finds none."""
    try:
        yield
    except ImportError as error:
        reason = (
            "[store] url names a PostgreSQL database, and the driver for it is not "
            "installed: python -m pip install 'scantrail[postgres]'"
        )
        raise StartError(reason) from error


def address(settings: StoreSettings) -> str:
    """Return the database's address, with the password of its file."""
    if not settings.password_file:
        return settings.url
    password = quote(read_secret_file(Path(settings.password_file)), safe="")
    more = "&" if urlsplit(settings.url).query else "?"
    return f"{settings.url}{more}password={password}"
