"""What a station is doing when a fault happens; and the server, in its own scenes.

Each scene has a folder that it begins with, what is done in it by a process of its own,
and what has to hold once somebody starts again there without a fault.
"""

import asyncio
import contextlib
import json
import os
import shutil
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

from edge import outbox_schema
from edge.care import Care, take_in
from edge.copying import Copying, adopt, take_in_journal
from edge.outbox import Outbox
from edge.storage import NotSavedError
from tests.edge_server import Model
from tests.faults import scanned, server_scenes
from tests.faults.checker import Found, check, draft, sent
from tests.faults.mutations import NAME

__all__ = ["SCENES", "Scene", "Tell", "telling"]

_AGAIN = "P-AGAIN"
_BALLAST = 1 << 20
_FEW, _MANY = 6, 60
_TRIES = 50
_COMMON = 9  # lines of the log that is left, which the server has

Tell = Callable[[str], None]


class Scene(NamedTuple):
    """A scene, in a folder of its own. ``judge`` is given what was told, in order."""

    prepare: Callable[[Path], Coroutine[Any, Any, None]]
    act: Callable[[Path, Tell], Coroutine[Any, Any, None]]
    judge: Callable[[Path, list[str]], Coroutine[Any, Any, Found]]


# --- before ---------------------------------------------------------------------------


class _Before(NamedTuple):
    """What is known of a prepared folder: by codes, and by the server's lines."""

    confirmed: list[str]
    tried: list[str]
    logs: dict[str, list[str]]

    def write(self, folder: Path) -> None:
        (folder / "before").write_text(json.dumps(self))


def _before(folder: Path) -> _Before:
    return _Before(*json.loads((folder / "before").read_text()))


async def _nothing(folder: Path) -> None:
    _Before([], [], {}).write(folder)


async def _filled(
    folder: Path, *, acked: int, lines: int, backed_up: int = 0
) -> tuple[Outbox, list[str], list[bytes]]:
    """Make an outbox with lines, of which the server has some; it stays open."""
    box = await Outbox.open(folder / NAME, ballast=_BALLAST)
    codes = [f"P-OLD-{number}" for number in range(lines)]
    for code in codes:
        await box.append([draft(code)])
    await box.acknowledged(acked, backed_up)
    kept = (await box.batch(0, max_lines=lines, max_bytes=1 << 24)).lines
    there = {box.log: [line.decode() for line in kept[:acked]]}
    _Before(codes, [], there).write(folder)
    return box, codes, list(kept)


async def _acknowledged(folder: Path) -> None:
    box, *_ = await _filled(folder, acked=400, lines=400, backed_up=400)
    await box.close()


async def _waiting(folder: Path) -> None:
    box, *_ = await _filled(folder, acked=0, lines=30)
    await box.close()


async def _forked(folder: Path) -> None:
    """Let the server have another line than the tenth here."""
    box, codes, kept = await _filled(folder, acked=9, lines=30)
    other = kept[9].replace(b"P-OLD-9", b"P-OTHER")
    there = [line.decode() for line in (*kept[:9], other)]
    _Before(codes, ["P-OTHER"], {box.log: there}).write(folder)
    await box.close()


async def _damaged(folder: Path) -> None:
    """Damage a page; whatever can be found again without a fault counts from here."""
    box, codes, _ = await _filled(folder, acked=20, lines=120)
    await box.close()
    _damage(folder / NAME)
    before = _before(folder)
    shown = folder.with_name("shown")
    shutil.copytree(folder, shown)
    model = await _sent(shown, before)
    shutil.rmtree(shown)
    found = check(codes, model.logs, [_AGAIN])
    there = [code for code in codes if code not in found.lost]
    assert 0 < len(found.lost) < len(codes) // 2
    _Before(there, found.lost, before.logs).write(folder)


def _damage(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(7 * 4096 + 1000)
        file.write(bytes(700))


async def _journal_only(folder: Path) -> None:
    """Leave a second path whose outbox is gone."""
    box, *_ = await _filled(folder, acked=5, lines=60)
    copying = Copying(box, folder / "second")
    await _copied(box, copying)
    await box.close()
    _lose(folder)


def _lose(folder: Path) -> None:
    for path in folder.glob(f"{NAME}*"):
        path.unlink()


async def _copied(box: Outbox, copying: Copying) -> None:
    while copying.copied != (box.state.present.id, box.last):
        await copying.step()


# --- meanwhile ------------------------------------------------------------------------


def _scans(count: int) -> Callable[[Path, Tell], Coroutine[Any, Any, None]]:
    async def act(folder: Path, tell: Tell) -> None:
        await scanned.main(folder, 0, count, tell)

    return act


async def _scan(box: Outbox, code: str, tell: Tell) -> None:
    """Scan a code again and again until it is saved, as a station does."""
    for _ in range(_TRIES):
        try:
            await box.append([draft(code)])
        except NotSavedError:
            await asyncio.sleep(0.002)
        else:
            tell(code)
            return


@contextlib.asynccontextmanager
async def _opened(folder: Path) -> AsyncIterator[Outbox]:
    box = await Outbox.open(folder / NAME, ballast=_BALLAST)
    try:
        yield box
    finally:
        await box.close()


async def _pruning(folder: Path, tell: Tell) -> None:
    async with _opened(folder) as box:
        await box.acknowledged(400, 400)
        care = Care(box, retention=0)
        for number in range(_FEW):
            care._until_pruning = 0
            await care.step()
            await _scan(box, f"P-{number}", tell)


async def _starting(folder: Path, tell: Tell) -> None:
    async with _opened(folder) as box:
        for number in range(_FEW):
            await _scan(box, f"P-{number}", tell)
            with contextlib.suppress(NotSavedError, OSError):
                await take_in(box, box.file.notices.append)


async def _copying(folder: Path, tell: Tell) -> None:
    async with _opened(folder) as box:
        copying = Copying(box, folder / "second")
        for number in range(2 * _FEW):
            await _scan(box, f"P-{number}", tell)
            with contextlib.suppress(NotSavedError, OSError):
                await _copied(box, copying)


async def _recovering(folder: Path, tell: Tell) -> None:
    async with _opened(folder) as box:
        for number in range(3):
            with contextlib.suppress(NotSavedError, OSError):
                await take_in_journal(box, folder / "second")
            await _scan(box, f"P-{number}", tell)


async def _leaving(folder: Path, tell: Tell) -> None:
    async with _opened(folder) as box:
        for number in range(_FEW):
            await _scan(box, f"P-{number}", tell)
            if len(box.state.logs) == 1 and box.last > _COMMON:
                with contextlib.suppress(NotSavedError, LookupError):
                    await box.start_log(_COMMON)


_NEXT = """
CREATE TABLE shelf (id INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;
INSERT INTO shelf SELECT id, name FROM log;
CREATE INDEX shelf_name ON shelf (name);
CREATE TABLE again (position INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
INSERT INTO again SELECT position, bytes FROM line;
"""
"""A second version, as one could be."""


@contextlib.contextmanager
def _next_version() -> Iterator[None]:
    steps = (*outbox_schema.schemas(), _NEXT)
    newest = (len(steps),)
    with (
        patch.object(outbox_schema, "schemas", lambda: steps),
        patch.object(outbox_schema.refuse_foreign, "__defaults__", newest),
    ):
        yield


async def _migrating(folder: Path, tell: Tell) -> None:
    with _next_version():
        await _starting(folder, tell)


# --- afterwards -----------------------------------------------------------------------


async def _sent(folder: Path, before: _Before) -> Model:
    """Start again, scan once more, and send everything."""
    there = {log: [row.encode() for row in rows] for log, rows in before.logs.items()}
    model, second = Model(logs=there), folder / "second"
    async with _opened(folder) as box:
        if second.is_dir():
            Copying(box, second)
            await adopt(box, second)
            await take_in_journal(box, second)
        await box.append([draft(_AGAIN)])
        await take_in(box, box.file.notices.append)
        await sent(box, model)
    return model


async def _judged(folder: Path, told: list[str]) -> Found:
    before = _before(folder)
    model = await _sent(folder, before)
    tried = [*before.tried, *(f"P-{number}" for number in range(_MANY))]
    confirmed = [*before.confirmed, *told, _AGAIN]
    return check(confirmed, model.logs, tried)


async def _judged_next(folder: Path, told: list[str]) -> Found:
    with _next_version():
        return await _judged(folder, told)


SCENES: dict[str, Scene] = {
    "scans": Scene(_nothing, _scans(_FEW), _judged),
    "more scans": Scene(_nothing, _scans(_MANY), _judged),
    "pruning": Scene(_acknowledged, _pruning, _judged),
    "a damaged outbox": Scene(_damaged, _starting, _judged),
    "a second path": Scene(_waiting, _copying, _judged),
    "a journal taken in": Scene(_journal_only, _recovering, _judged),
    "a log left in a fork": Scene(_forked, _leaving, _judged),
    "a new version": Scene(_waiting, _migrating, _judged_next),
    **{name: Scene(*parts) for name, parts in server_scenes.SCENES.items()},
}


def telling(path: Path) -> Tell:
    """Return what writes down what is confirmed, for after the process's end."""
    out = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def tell(code: str) -> None:
        os.write(out, f"{code}\n".encode())

    return tell
