"""Tables of host systems: a dry run shows what each would change."""

import asyncio
from collections.abc import Sequence

from aiohttp import web

from server.api import wire
from server.api.context import CONTEXT, Context
from server.api.guard import actor
from server.imports import KINDS, Change, Kind, Plan, doubtful, plan, understood
from server.problems import invalid, not_found
from server.sheets import ENCODINGS, Table, from_csv, from_json
from shared.api.imports import Contradiction, ImportReport, RowError
from shared.api.items import ItemAnswer
from shared.hosts import Topic

__all__ = ["bring"]

MAX_TABLE = 16 * 1024 * 1024
"""Bytes of a table, at most."""
MOST_SHOWN = 1000
"""Changes and contradictions that a report shows; it counts all."""
_MOST_ERRORS = 100
_MOST_STATUSES = 100


async def bring(request: web.Request) -> web.Response:
    """``POST /v1/import/{kind}``: all of a table or, where a row is wrong, nothing."""
    name = request.match_info["kind"]
    if name not in KINDS:
        reason = f"no table {name[:40]!r} can be brought; there are {', '.join(KINDS)}"
        raise not_found(reason)
    kind, dry = KINDS[name], wire.flag(request, "dry_run")
    statuses = _statuses(request)
    table = await _table(request, kind)
    changes, wrong = await asyncio.to_thread(
        understood, kind, table, by=actor(request), statuses=statuses
    )
    errors = sorted([*table.errors, *wrong], key=lambda error: error.row)
    if errors and (not dry or errors[0].row == 0):
        raise invalid(_told(errors))
    context = request.app[CONTEXT]
    keys = [change.key for change in changes]
    planned = plan(kind, changes, await context.store.said(kind.topic, keys))
    against = await _contradictions(context, kind, changes)
    if not dry:
        await context.own.write([change.line for change in planned.changes])
    report = _report(name, planned, errors, against, dry=dry)
    warned = await asyncio.to_thread(doubtful, changes)
    report.warned, report.warnings = len(warned), warned[:_MOST_ERRORS]
    report.rows = len(table.rows) + len({error.row for error in table.errors})
    return wire.json(report)


async def _table(request: web.Request, kind: Kind) -> Table:
    data = await wire.body(request, MAX_TABLE)
    if not data:
        reason = "there is no table in the request"
        raise invalid(reason)
    if request.content_type == "application/json":
        return await asyncio.to_thread(from_json, data, kind.names)
    encoding = request.query.get("encoding", "utf-8")
    if encoding not in ENCODINGS:
        reason = f"encoding={encoding[:40]!r}: expected one of {', '.join(ENCODINGS)}"
        raise invalid(reason)
    return await asyncio.to_thread(from_csv, data, kind.names, encoding)


def _statuses(request: web.Request) -> dict[str, str]:
    found = {}
    for text in request.query.getall("status", [])[:_MOST_STATUSES]:
        theirs, equals, ours = text.partition("=")
        if not (theirs.strip() and equals and ours.strip()):
            reason = f"status={text[:40]!r}: expected THEIRS=OURS"
            raise invalid(reason)
        found[theirs.strip().lower()] = ours.strip()
    return found


def _told(errors: Sequence[RowError]) -> str:
    most = 20
    told = "\n".join(f"row {error.row}: {error.text}" for error in errors[:most])
    more = f"\nand {len(errors) - most} more" if len(errors) > most else ""
    return f"Nothing was imported.\n{told}{more}"


async def _contradictions(
    context: Context, kind: Kind, changes: Sequence[Change]
) -> tuple[int, list[Contradiction]]:
    """Return how many claims the scans contradict as of now, and the first of them."""
    if kind.topic is not Topic.CLAIM:
        return 0, []
    scanned = await context.store.statuses([change.key for change in changes])
    against = [
        change
        for change in changes
        if change.key in scanned
        and scanned[change.key].lower() != (change.line.status or "").lower()
    ]
    shown = [
        _contradiction(change, await context.store.item(change.key))
        for change in against[:MOST_SHOWN]
    ]
    return len(against), shown


def _contradiction(change: Change, scanned: ItemAnswer) -> Contradiction:
    return Contradiction(
        row=change.number,
        item=change.key,
        claimed=change.line.status or "",
        as_of=change.line.as_of,
        scanned=scanned.status or "",
        since=scanned.status_since or "",
        event=scanned.status_event or "",
        location=scanned.location,
    )


def _report(
    name: str,
    planned: Plan,
    errors: Sequence[RowError],
    against: tuple[int, list[Contradiction]],
    *,
    dry: bool,
) -> ImportReport:
    return ImportReport(
        kind=name,
        dry_run=dry,
        rows=0,
        new=planned.new,
        changed=len(planned.changes) - planned.new,
        same=planned.same,
        wrong=len(errors),
        contradicted=against[0],
        changes=planned.shown[:MOST_SHOWN],
        errors=list(errors[:_MOST_ERRORS]),
        contradictions=against[1],
    )
