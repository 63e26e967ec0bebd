"""``scantrail-server migrate-store``: from the file to PostgreSQL, and back.

What is kept for ever is moved in pieces, each durable before the next, so that it goes
on where it was interrupted. At the end both sides are checked line by line, and
compared: counts, every log's head, the last seal. Nothing is taken away where it was.
"""

import argparse
import asyncio
import sys
from collections.abc import Callable, Coroutine
from contextlib import closing
from functools import partial
from pathlib import Path

from server.backup import DATABASE
from server.config import ServerConfig, load
from server.data_folder import data_folder
from server.now import now
from server.site import Site
from server.store.file_moving import MovingFile
from server.store.moving import Moved
from server.store.sqlite import SqliteStore
from server.storing import address, driver_missing
from shared import files
from shared.errors import StartError
from shared.moments import to_text

__all__ = ["add_commands", "to_file", "to_postgres"]

Tell = Callable[[str], None]

_ABOUT = """\
Move all events between the file in the data folder and the PostgreSQL database that
[store] url names. No server may run on either meanwhile; stations keep their lines.
What was interrupted goes on when the same command is run again. Nothing is removed from
where it came; answers are made anew when a server starts on the other side.
"""


async def to_postgres(path: Path, url: str, site: Site, tell: Tell) -> Moved:
    """Move everything from a file into an empty PostgreSQL database.

    Raises:
        StartError: It cannot be done; what was moved stays, to go on from.
    """
    from server.store.postgres import moving, opening  # noqa: PLC0415 # not everywhere
    from server.store.postgres.database import Worker  # noqa: PLC0415

    with closing(MovingFile(path)) as source:
        whose = source.identity()
        worker = Worker(url)
        try:
            await worker.open()
            await worker.transact(partial(opening.make, site=site))
            begin = partial(moving.begin_moving, whose=whose)
            done = await worker.transact(begin)
            while (chunk := source.chunk(done)) is not None:
                await worker.transact(partial(moving.write, some=chunk, whose=whose))
                done = chunk.done
                tell(f"{done} deliveries are there")
            await worker.transact(
                partial(moving.finish, small=source.rest(), whose=whose)
            )
            there = await worker.transact(moving.holds)
        finally:
            await worker.close()
        _must_be_equal(source.holds(), there)
    return there


async def to_file(
    url: str, path: Path, site: Site, tell: Tell, *, copy: bool = False
) -> Moved:
    """Move everything from PostgreSQL into a new file.

    Args:
        url: Where the database is.
        path: The file.
        site: The site's rules.
        tell: Told how far it is.
        copy: Take what is there at one moment, and let servers go on there.

    Raises:
        StartError: It cannot be done; what was moved stays, to go on from.
    """
    from server.store.postgres import locks, moving  # noqa: PLC0415 # not everywhere
    from server.store.postgres.database import Database, Worker  # noqa: PLC0415

    if not path.exists():  # noqa: ASYNC240 # nothing else runs
        await (await SqliteStore.open(path, now, site)).close()
    worker = Worker(url)
    with closing(MovingFile(path)) as target:

        def move(database: Database) -> Moved:
            if not copy:
                locks.alone(database)  # nobody appends meanwhile
            whose = moving.identity(database)
            done = target.begin(whose)
            while (chunk := moving.chunk(database, done)) is not None:
                target.write(chunk, whose)
                done = chunk.done
                tell(f"{done} deliveries are there")
            target.finish(moving.rest(database), whose)
            source = moving.holds(database)
            _must_be_equal(source, target.holds())
            if not copy:
                moving.leave(database, to_text(now()))
            return source

        try:
            await worker.open()
            return await worker.transact(move, snapshot=copy)
        finally:
            await worker.close()


def _must_be_equal(source: Moved, target: Moved) -> None:
    if source != target:
        reason = (
            f"what was moved is not what was there: {source.lines} lines of "
            f"{len(source.heads)} logs there, {target.lines} of {len(target.heads)} "
            "here. Go on with the store that was; keep both"
        )
        raise StartError(reason)


# --- the command ----------------------------------------------------------------------


def migrate(options: argparse.Namespace) -> None:
    """Move everything, and say what was moved."""
    config = load(options.config, {})
    if not config.store.url:
        reason = f"{options.config} names no [store] url: nothing to move from or to"
        raise StartError(reason)
    data = data_folder(options.data or config.data)
    try:
        files.lock(data / "lock")
    except files.LockedError as error:
        reason = f"a server runs on {data}; stop it first"
        raise StartError(reason) from error
    with driver_missing():
        found = asyncio.run(_moving(options, config, data / DATABASE))
    print(  # noqa: T201 # the result
        f"moved and compared: {found.lines} lines of {len(found.heads)} logs in "
        f"{found.deliveries} deliveries, last seal {found.seal[:16] or 'none'}"
    )


def _moving(
    options: argparse.Namespace, config: ServerConfig, path: Path
) -> Coroutine[None, None, Moved]:
    url, site = address(config.store), config.site()
    if options.to == "file":
        return to_file(url, path, site, _tell, copy=options.copy)
    if not path.exists():
        reason = f"there is no {path} to move from"
        raise StartError(reason)
    return to_postgres(path, url, site, _tell)


def _tell(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201 # for the person


def add_commands(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> None:
    """Add ``migrate-store`` to the program's commands."""
    add = commands.add_parser(
        "migrate-store",
        help="move all events from the file to PostgreSQL, or back",
        description=_ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add.add_argument(
        "--config",
        type=Path,
        required=True,
        metavar="FILE",
        help="the settings, with [store] url",
    )
    add.add_argument("--data", metavar="DIR", help="the server's folder")
    add.add_argument(
        "--to", required=True, choices=["postgresql", "file"], help="where to"
    )
    add.add_argument(
        "--copy",
        action="store_true",
        help="to a file in another folder, while servers go on with PostgreSQL",
    )
    add.set_defaults(run=migrate)
