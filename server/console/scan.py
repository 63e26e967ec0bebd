"""One line, opened: what it says in words, its bytes, and how they were read."""

import msgspec
from aiohttp import web

from server.api import wire
from server.api.context import CONTEXT
from server.console.lines import neighbours
from server.console.rendering import page, wording
from server.console.shown import shown
from server.console.timeline import Void
from server.console.titles import titles
from server.console.words import Words
from server.problems import not_found
from server.store import Entry, Store, View
from shared.hosts import HostLine, host_line
from shared.keys import parse

__all__ = ["event"]

MOST_SEEN = 200
"""Items of a count that are links; its fields name all."""


async def event(request: web.Request) -> web.Response:
    """``GET /events/{event}``: the scan itself: its bytes, and how they were read."""
    store = request.app[CONTEXT].store
    entry = await store.event(wire.key(request, "event"))
    if entry is None:
        reason = "There is no such event here."
        raise not_found(reason)
    line = host_line(entry.line)
    raw = None if line is None else line.raw
    return page(
        request,
        "event.html",
        entry=entry,
        line=line,
        says=_says(line, wording(request)) if line else [],
        taken_back=await _taken_back(store, entry, line) if line else None,
        most_seen=MOST_SEEN,
        fields=_fields(entry.line),
        text=entry.line.decode(errors="backslashreplace"),
        raw=raw,
        raw_bytes=None if raw is None else raw.encode("latin-1", "replace").hex(" "),
        scanned=None if raw is None else parse(raw),
        voids=None if line is None else line.voids,
        line_bytes=entry.line.hex(" "),
        titles=await titles(store, [line.item if line else None]),
        neighbours=await _neighbours(store, entry.event),
    )


def _says(line: HostLine, words: Words) -> list[str]:
    """Return what a line says beside what was scanned."""
    said = (
        words.named("status", shown(line.status or "", 60)),
        words.named("code", shown(line.exception or "", 60)),
        line.title,
        line.text,
        line.reason,
    )
    return [text for text in said if text]


async def _taken_back(store: Store, entry: Entry, line: HostLine) -> Void | None:
    """Return by what an event was taken back, by the story of what it names."""
    key = line.item or next(iter(line.items or ()), None)
    if key is None:
        return None
    now = store.present()
    told = await store.history(key, View(at=now, known_at=now))
    named = (one.voided_by for one, _ in told.events if one.name == entry.event)
    name = next(named, None)
    found = None if name is None else await store.event(name)
    void = None if found is None else host_line(found.line)
    if name is None or void is None:
        return None
    return Void(name, void.reason or "", void.operator or void.by or "")


async def _neighbours(store: Store, event: str) -> list[str]:
    """Return the names of the lines before and behind one, empty where none is."""
    return [
        name if name and await store.event(name) is not None else ""
        for name in neighbours(event)
    ]


def _fields(data: bytes) -> list[tuple[str, str]]:
    """Return the fields of a line as it came, known here or not."""
    try:
        found = msgspec.json.decode(data)
    except (ValueError, RecursionError):
        return []
    if not isinstance(found, dict):
        return []
    return [
        (name, value if isinstance(value, str) else msgspec.json.encode(value).decode())
        for name, value in found.items()
    ]
