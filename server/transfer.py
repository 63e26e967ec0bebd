"""All that is kept for ever, moved between a file and PostgreSQL, or copied to a file.

It is moved in pieces, each durable before the next, so that it goes on where it was
interrupted. At the end both sides are checked line by line, and compared: counts, every
log's head, the last seal. Nothing is taken away where it was.
"""

from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

from server.now import now
from server.site import Site
from server.store.archive_files import ArchiveFile, bring
from server.store.file_moving import MovingFile
from server.store.moving import Moved
from server.store.sqlite import SqliteStore
from shared.data_folders import ARCHIVE
from shared.errors import StartError
from shared.moments import to_text

__all__ = ["Tell", "to_file", "to_postgres"]

Tell = Callable[[str], None]
"""Told how far it is."""


async def to_postgres(
    path: Path, url: str, site: Site, tell: Tell, *, archive: Path | None = None
) -> Moved:
    """Move everything from a file into an empty PostgreSQL database.

    Args:
        path: The file.
        url: Where the database is.
        site: The site's rules.
        tell: Told how far it is.
        archive: Where the servers on that database look for files of archived lines,
            if not beside the file.

    Raises:
        StartError: It cannot be done; what was moved stays, to go on from.
    """
    from server.store.postgres import moving, opening  # noqa: PLC0415 # not everywhere
    from server.store.postgres.database import Worker  # noqa: PLC0415

    with closing(MovingFile(path)) as source:
        whose = source.identity()
        folder = path.parent / ARCHIVE if archive is None else archive
        worker = Worker(url, folder)
        try:
            await worker.open()
            await worker.transact(partial(opening.make, site=site))
            begin = partial(moving.begin_moving, whose=whose)
            done = await worker.transact(begin)
            while (chunk := source.chunk(done)) is not None:
                await worker.transact(partial(moving.write, some=chunk, whose=whose))
                done = chunk.done
                tell(f"{done} deliveries are there")
            _bring(source.archived(), path.parent / ARCHIVE, folder)
            await worker.transact(
                partial(moving.finish, small=source.rest(), whose=whose)
            )
            there = await worker.transact(moving.holds)
        finally:
            await worker.close()
        _must_be_equal(source.holds(), there)
    return there


async def to_file(
    url: str,
    path: Path,
    site: Site,
    tell: Tell,
    *,
    copy: bool = False,
    archive: Path | None = None,
    older: Path | None = None,
) -> Moved:
    """Move everything from PostgreSQL into a new file.

    Args:
        url: Where the database is.
        path: The file.
        site: The site's rules.
        tell: Told how far it is.
        copy: Take what is there at one moment, and let servers go on there.
        archive: Where the servers on that database have files of archived lines, if
            not beside the file.
        older: A folder that has copies of some of those already, to share them.

    Raises:
        StartError: It cannot be done; what was moved stays, to go on from.
    """
    from server.store.postgres import locks, moving  # noqa: PLC0415 # not everywhere
    from server.store.postgres.archived import files  # noqa: PLC0415
    from server.store.postgres.database import (  # noqa: PLC0415
        Database,
        Worker,
        plainly,
        snapshot,
    )

    await _must_be_there(url)
    if not path.exists():  # noqa: ASYNC240 # nothing else runs
        await (await SqliteStore.open(path, now, site)).close()
    beside = path.parent / ARCHIVE
    worker = Worker(url, archive or beside)
    with closing(MovingFile(path)) as target:

        def move(database: Database) -> Moved:
            # the file is checked meanwhile, for as long as that takes
            database.do("SET LOCAL idle_in_transaction_session_timeout = 0")
            if not copy:
                locks.alone(database)  # nobody appends meanwhile
            whose = moving.identity(database)
            done = target.begin(whose)
            while (chunk := moving.chunk(database, done)) is not None:
                target.write(chunk, whose)
                done = chunk.done
                tell(f"{done} deliveries are there")
            _bring(files(database), archive or beside, beside, older)
            target.finish(moving.rest(database), whose)
            source = moving.holds(database)
            _must_be_equal(source, target.holds())
            if not copy:
                moving.leave(database, to_text(now()))
            return source

        try:
            await worker.open()
            return await worker.transact(move, snapshot if copy else plainly)
        finally:
            await worker.close()


async def _must_be_there(url: str) -> None:
    """See that a server ever started on a database, before anything is made.

    Raises:
        StartError: None did, or it cannot be used.
    """
    from server.store.postgres import opening  # noqa: PLC0415 # not everywhere
    from server.store.postgres.database import Worker  # noqa: PLC0415

    worker = Worker(url, Path(ARCHIVE))
    try:
        await worker.open()
        await worker.transact(opening.must_be_there)
    finally:
        await worker.close()


def _bring(
    known: Sequence[ArchiveFile], source: Path, to: Path, older: Path | None = None
) -> None:
    """Copy files of archived lines to where they are looked for from now on."""
    try:
        bring(known, source, to, older)
    except OSError as error:
        reason = (
            f"archived lines cannot be copied from {source} to {to}: {error}. Put "
            "those files there, and run the same again"
        )
        raise StartError(reason) from error


def _must_be_equal(source: Moved, target: Moved) -> None:
    if source != target:
        reason = (
            f"what was moved is not what was there: {source.lines} lines of "
            f"{len(source.heads)} logs there, {target.lines} of {len(target.heads)} "
            "here. Go on with the store that was; keep both"
        )
        raise StartError(reason)
