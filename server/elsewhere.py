"""What administrators' commands ask of the PostgreSQL database that settings name.

The driver is not everywhere; what needs it is imported where such a database is named.
"""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from server.backup import newest_archive
from server.config import ServerConfig, load
from server.now import now
from server.store.audit import Report
from server.store.backups import Restored
from server.store.placing import Retimed
from server.storing import address, driver_missing
from server.transfer import to_file
from server.verify import Finding
from shared.data_folders import ARCHIVE

if TYPE_CHECKING:
    from server.store.postgres.database import Database, Worker
    from server.store.postgres.examining import Kept, Settings

__all__ = ["Elsewhere", "kept_elsewhere"]

T = TypeVar("T")


def kept_elsewhere(config: Path | None, data: Path) -> "Elsewhere | None":
    """Return the database that settings name, if it is not in the data folder."""
    found = load(config, {})
    return Elsewhere(found, data) if found.store.url else None


class Elsewhere:
    """The PostgreSQL database of some settings, and the archive in the data folder.

    Every method raises `StartError` where it cannot be used.
    """

    def __init__(self, config: ServerConfig, data: Path) -> None:
        self._config, self._archive = config, data / ARCHIVE

    def copy(self, path: Path, *, backups: Path) -> None:
        """Write everything that is there at one moment into a new file.

        Args:
            path: The file.
            backups: The folder of backups, which share the files of archived lines.
        """
        with driver_missing():
            copying = to_file(
                address(self._config.store),
                path,
                self._config.site(),
                _nobody,
                copy=True,
                archive=self._archive,
                older=newest_archive(backups),
            )
            asyncio.run(copying)

    def size(self) -> int:
        """Return how many bytes the database takes."""
        statement = "SELECT pg_database_size(current_database())"
        return int(self._asked(lambda database: database.one(statement)[0]))

    def report(self, marks: Mapping[int, str]) -> Report:
        """Check chains, signatures and seals."""
        with driver_missing():
            from server.store.postgres import audit  # noqa: PLC0415 # not everywhere
        return self._asked(partial(audit.report, marks=marks))

    def restored(self) -> list[Restored]:
        """Return what became of logs after restores."""
        with driver_missing():
            from server.store.postgres import backups  # noqa: PLC0415 # not everywhere
        return self._asked(backups.restored)

    def differences(self) -> list[Finding]:
        """Compare what is kept of items with what the lines tell."""
        with driver_missing():
            from server.store.postgres import again  # noqa: PLC0415 # not everywhere
        ask = partial(again.differences, site=self._config.site(), now=now())
        return self._asked(ask, again.begin)

    def retime(self) -> Retimed:
        """Place lines anew in time."""
        with driver_missing():
            from server.store.postgres import retiming  # noqa: PLC0415 # not everywhere
        return self._asked(retiming.retime, retiming.begin)

    def settings(self) -> "Settings":
        """Return how PostgreSQL itself is set up, whatever is in the database."""
        with driver_missing():
            from server.store.postgres import examining  # noqa: PLC0415 # not everywhere
        return self._looked(examining.settings)

    def kept(self) -> "Kept":
        """Return what a server keeps there, as one would find it at its start."""
        with driver_missing():
            from server.store.postgres import examining  # noqa: PLC0415 # not everywhere
        return self._looked(partial(examining.kept, site=self._config.site()))

    def _looked(self, ask: "Callable[[Database], T]") -> T:
        """Ask it in one transaction that only reads, whatever there is."""
        worker = self._worker()
        from server.store.postgres.database import in_words, reading_only  # noqa: PLC0415

        with in_words():
            return asyncio.run(_transacted(worker, ask, reading_only))

    def _asked(
        self,
        ask: "Callable[[Database], T]",
        begin: Callable[[], str] | None = None,
    ) -> T:
        """Ask it in one transaction, which only reads unless it begins otherwise."""
        worker = self._worker()
        from server.store.postgres.database import snapshot  # noqa: PLC0415
        from server.store.postgres.opening import must_be_here  # noqa: PLC0415

        asking = _transacted(worker, ask, begin or snapshot, first=must_be_here)
        return asyncio.run(asking)

    def _worker(self) -> "Worker":
        with driver_missing():
            from server.store.postgres.database import Worker  # noqa: PLC0415 # not everywhere
        return Worker(address(self._config.store), self._archive)


async def _transacted(
    worker: "Worker",
    ask: "Callable[[Database], T]",
    begin: Callable[[], str],
    first: "Callable[[Database], None] | None" = None,
) -> T:
    """Ask in one transaction; before that see in another whether it can be."""
    try:
        await worker.open()
        if first is not None:
            await worker.transact(first)
        return await worker.transact(ask, begin)
    finally:
        await worker.close()


def _nobody(text: str) -> None:
    """Tell nobody how far it is."""
