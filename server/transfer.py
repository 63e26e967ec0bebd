"""All that is kept for ever, moved between a file and PostgreSQL, or copied to a file.

It is moved in pieces, each durable before the next, so that it goes on where it was
interrupted. At the end both sides are checked line by line, and compared: counts, every
log's head, the last seal. Only then can the new one be served, and the old one says
that it moved. Nothing is taken away where it was.
"""

from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

from server.now import now
from server.site import Site
from server.store import Identity
from server.store.archive_files import ArchiveFile, bring
from server.store.file_moving import MovingFile, make_file
from server.store.moving import Moved
from server.store.whereabouts import half, must_be_whole
from shared.data_folders import ARCHIVE
from shared.errors import StartError
from shared.files import settle
from shared.moments import to_text

__all__ = ["Tell", "take_back", "to_file", "to_postgres"]

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
    from server.store.postgres.database import (  # noqa: PLC0415 # not everywhere
        Database,
        Worker,
        in_words,
    )

    must_be_whole(path)
    with closing(MovingFile(path)) as source:
        whose = source.identity()
        folder = path.parent / ARCHIVE if archive is None else archive
        worker = Worker(url, folder)

        def begin(database: Database) -> int:
            if not (source.left() and moving.is_half(database, whose)):
                source.must_be_here()
            opening.make(database, site)
            return moving.begin_moving(database, whose)

        def end(database: Database) -> Moved:
            database.do("SET LOCAL idle_in_transaction_session_timeout = 0")
            moving.finish(database, source.rest(), whose)
            there = moving.holds(database)
            _must_be_equal(held, there)
            # before anybody can write there: this file is never served beside it
            source.leave(to_text(now()), _shown(url))
            return there

        try:
            await worker.open()
            with in_words():
                done = await worker.transact(begin)
            while (chunk := source.chunk(done)) is not None:
                await worker.transact(partial(moving.write, some=chunk, whose=whose))
                done = chunk.done
                tell(f"{done} deliveries are there")
            _bring(source.archived(), path.parent / ARCHIVE, folder)
            held = source.holds()
            return await worker.transact(end)
        finally:
            await worker.close()


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

    A file that is there already gets another name, where all of it is in the database.

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
    from server.store.postgres import locks, moving, opening  # noqa: PLC0415 # not everywhere
    from server.store.postgres.archived import files  # noqa: PLC0415
    from server.store.postgres.database import (  # noqa: PLC0415
        Database,
        Worker,
        in_words,
        plainly,
        snapshot,
    )

    into, beside = half(path), path.parent / ARCHIVE
    worker = Worker(url, archive or beside)

    def begin(database: Database) -> None:
        meta, whose = opening.noted(database), moving.identity(database)
        if copy or moving.MOVED not in meta or not _is_whole(into, whose):
            opening.must_be_whole(meta)  # else it only has no name yet
        if path.exists() and (
            copy or not _has_no_more(path, whose, partial(moving.seal, database))
        ):
            reason = (
                f"{path} is there already, and may hold other events than the database "
                "of [store] url: it stays as it is. Name an empty folder with --data"
            )
            raise StartError(reason)
        make_file(into, site)

    def move(database: Database) -> Moved:
        # the file is checked meanwhile, for as long as that takes
        database.do("SET LOCAL idle_in_transaction_session_timeout = 0")
        if not copy:
            locks.alone(database)  # nobody appends meanwhile
        whose = moving.identity(database)
        with closing(MovingFile(into)) as target:
            done = target.begin(whose)
            while (chunk := moving.chunk(database, done)) is not None:
                target.write(chunk, whose)
                done = chunk.done
                tell(f"{done} deliveries are there")
            _bring(files(database), archive or beside, beside, older)
            target.finish(moving.rest(database), whose)
            source = moving.holds(database)
            _must_be_equal(source, target.holds())
            target.settle()
        if not copy:
            moving.leave(database, to_text(now()))
        return source

    try:
        await worker.open()
        with in_words():
            await worker.transact(begin)
        found = await worker.transact(move, snapshot if copy else plainly)
    finally:
        await worker.close()
    _take_its_place(into, path)
    return found


def _is_whole(into: Path, whose: Identity) -> bool:
    """Return whether all was moved into a file, which is not named yet."""
    if not into.exists():
        return False
    with closing(MovingFile(into)) as there:
        return there.is_whole(whose)


def _has_no_more(path: Path, whose: Identity, seal: Callable[[int], bytes]) -> bool:
    """Return whether a database has all of a file that is there already.

    Args:
        path: The file.
        whose: The database's.
        seal: Returns the seal of a delivery in the database.

    Raises:
        StartError: The file is in use.
    """
    with closing(MovingFile(path)) as there:
        number, last = there.last()
        same = there.identity() == whose and seal(number) == last
        if same or there.is_empty():
            there.settle()
            return True
    return False


def _take_its_place(into: Path, path: Path) -> None:
    """Give what was moved the name that is served; what had it gets another one."""
    try:
        if path.exists():
            moment = to_text(now()).replace(":", "-")
            path.rename(path.with_name(f"{path.name}.before-{moment}"))
        settle(into, path)
    except OSError as error:
        reason = (
            f"{into} cannot be renamed to {path}: {error.strerror}. Run the same again"
        )
        raise StartError(reason) from error


def take_back(path: Path) -> str:
    """Let a file be served again whose events moved to a database that is given up.

    What was written there since is not in it. It begins a new epoch, as after a
    restore, so that stations send again what came later.

    Returns:
        When they moved.

    Raises:
        StartError: They did not, or the file cannot be written.
    """
    must_be_whole(path)
    with closing(MovingFile(path)) as there:
        return there.take_back(str(uuid4()), now())


def _shown(url: str) -> str:
    """Say which database an address names, without a secret."""
    parts = urlsplit(url)
    given = parse_qs(parts.query)
    hosts = parts.netloc.rpartition("@")[2] or ",".join(given.get("host", ["?"]))
    return f"PostgreSQL (database {parts.path.lstrip('/') or '?'} at {hosts})"


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
