"""The system: how the server is, what is backed up, what is in force; and checks."""

import asyncio
import re
import shutil
import sqlite3
from pathlib import Path

import msgspec
from aiohttp import web

from server import backup
from server.api.acts import write
from server.api.context import CONTEXT, Context
from server.backup import DATABASE, Published
from server.config import ServerConfig
from server.console.chores import CHORES
from server.console.rendering import page, see_other
from server.problems import invalid
from server.store import View
from server.store.audit import opened
from server.store.backups import Restored, restored
from shared.errors import ScantrailError
from shared.moments import SECOND, to_moment
from shared.version import VERSION

__all__ = ["Setting", "check", "settings", "system", "try_restore"]

OLD = 26 * 3600 * SECOND
"""A backup of yesterday is well; an older one is not."""
_LOGIN = re.compile(r"://[^/@\s]*@")


class Setting(msgspec.Struct, frozen=True):
    """A setting in force: its name, its value, and whether it is the default."""

    name: str
    value: str
    default: bool


class Room(msgspec.Struct, frozen=True):
    """Bytes that the database takes, and that are free beside it."""

    taken: int
    free: int


def settings(config: ServerConfig) -> list[Setting]:
    """Write every setting in force, without what could be a secret."""
    mine = _flat("", msgspec.to_builtins(config))
    usual = _flat("", msgspec.to_builtins(ServerConfig()))
    return [Setting(n, _plain(v), usual.get(n) == v) for n, v in mine.items()]


def _flat(prefix: str, value: object) -> dict[str, object]:
    if not isinstance(value, dict) or not value:
        return {prefix: value}
    found: dict[str, object] = {}
    for name, inner in value.items():
        found |= _flat(f"{prefix}.{name}" if prefix else str(name), inner)
    return found


def _plain(value: object) -> str:
    """Write a value; of an address neither the login nor the query is shown."""
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return re.sub(r"(\w+://[^\s\"?]*)\?[^\s\"]*", r"\1?…", _LOGIN.sub("://…@", text))


def _folder(context: Context) -> Path | None:
    return None if context.config is None else Path(context.config.data)


def _room(data: Path) -> Room:
    files = [data / DATABASE, data / f"{DATABASE}-wal"]
    taken = sum(file.stat().st_size for file in files if file.exists())
    return Room(taken, shutil.disk_usage(data).free)


def _after_restores(data: Path) -> list[Restored]:
    """Return what came of restores; nothing where that cannot be read here."""
    if not (data / DATABASE).exists():
        return []
    try:
        with opened(data / DATABASE) as connection:
            return restored(connection)
    except (ScantrailError, sqlite3.Error):
        return []


async def _unsaved(context: Context, known: Published | None) -> int:
    """Count the lines that are in no backup."""
    held = known.acked if known else {}
    seen = await context.store.stations()
    return sum(max(0, s.acked - held.get(s.log or "", (0, ""))[0]) for s in seen)


async def _behind(context: Context) -> dict[str, int]:
    """Return how far each webhook's receiver is behind."""
    store = context.store
    return {
        hook.name: max(0, store.position() - await store.hook_position(hook.name))
        for hook in context.webhooks
    }


async def system(request: web.Request) -> web.Response:
    """``GET /system``."""
    context, data = request.app[CONTEXT], _folder(request.app[CONTEXT])
    now = context.store.present()
    known = await asyncio.to_thread(backup.published, data) if data else None
    made = to_moment(known.made_at) if known else None
    remade = context.store.remaking()
    return page(
        request,
        "system.html",
        version=VERSION,
        identity=context.store.identity,
        data=str(data.absolute()) if data else "",
        room=await asyncio.to_thread(_room, data) if data else None,
        lines=context.store.position(),
        horizon=await context.store.horizon(View(at=now, known_at=now)),
        elsewhere=bool(context.config and context.config.store.url),
        remaking=remade,
        backup=known,
        old=made is None or now - made > OLD,
        unsaved=await _unsaved(context, known),
        restores=await asyncio.to_thread(_after_restores, data) if data else [],
        hooks=await _behind(context),
        chores=request.app[CHORES].last,
        settings=settings(context.config) if context.config else [],
    )


async def _begin(request: web.Request, name: str, told: str) -> web.Response:
    context = request.app[CONTEXT]
    data = _folder(context)
    if data is None or (context.config and context.config.store.url):
        reason = "What is kept is not in this server's folder; check it where it is."
        raise invalid(reason)
    request.app[CHORES].begin(name, [name, "--data", str(data)], context.now())
    await write(request, action="note", text=told)
    return see_other("/system")


async def check(request: web.Request) -> web.Response:
    """``POST /system/verify``: check that all is there, as it was received."""
    return await _begin(request, "verify", "began a check of everything that is kept")


async def try_restore(request: web.Request) -> web.Response:
    """``POST /system/drill``: restore the last backup to one side, and check that."""
    return await _begin(request, "drill", "began a restore drill of the last backup")
