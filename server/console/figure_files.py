"""The figures as tables to take away: CSV, and Parquet where pyarrow is installed."""

import asyncio
import importlib
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType, ModuleType

from aiohttp import web

from server.console.figures import NUMBERS, SHARES
from server.console.gathering import Gathered, asked
from server.csv_rows import csv_rows
from server.problems import ProblemError, invalid, not_found
from shared.moments import SECOND, to_text
from shared.protocol import ProblemType

__all__ = ["download"]

PATIENCE = 120.0
"""Seconds that a download waits for figures that are worked out."""

Cell = str | int | float | None
Table = tuple[Sequence[str], list[list[Cell]]]


_KINDS = MappingProxyType(
    {
        "count": "int64",
        "scans": "int64",
        **dict.fromkeys(("now", "before"), "float64"),
        **dict.fromkeys(("p50_seconds", "p90_seconds", "p99_seconds"), "float64"),
    }
)
"""What columns of Parquet hold that are no text, whatever rows there are."""


def _summary(found: Gathered) -> Table:
    head = ("figure", "now", "before")
    rows: list[list[Cell]] = [
        [name, float(of(found.now)), float(of(found.before))]
        for name, of in NUMBERS.items()
    ]
    for name, part in SHARES.items():
        rows += [
            [f"{name}_{what}", float(part(found.now)[i]), float(part(found.before)[i])]
            for i, what in enumerate(("met", "of"))
        ]
    return head, rows


def _dwell(found: Gathered) -> Table:
    head = ("period", "step", "count", "p50_seconds", "p90_seconds", "p99_seconds")
    return head, [
        [
            name,
            one.step,
            one.spread.count,
            one.spread.p50 / SECOND,
            one.spread.p90 / SECOND,
            one.spread.p99 / SECOND,
        ]
        for name, dwell in (("now", found.now.dwell), ("before", found.before.dwell))
        for one in dwell
    ]


def _hours(found: Gathered) -> Table:
    return ("hour", "scans"), [
        [to_text(at), number]
        for one in (found.before, found.now)
        for at, number in one.hours.items()
    ]


def _incidents(found: Gathered) -> Table:
    head = ("item", "code", "since", "until", "event", "step", "location", "station")
    return head, [
        [
            one.item,
            one.code,
            to_text(one.since),
            None if one.until is None else to_text(one.until),
            one.event,
            one.step,
            one.location,
            found.stations.get(one.log, ""),
        ]
        for one in found.now.incidents
    ]


_TABLES: Mapping[str, Callable[[Gathered], Table]] = MappingProxyType(
    {"summary": _summary, "dwell": _dwell, "hours": _hours, "incidents": _incidents}
)


async def download(request: web.Request) -> web.Response:
    """``GET /figures/{table}?format=csv&days=&at=&known_at=``."""
    name, form = request.match_info["table"], request.query.get("format", "csv")
    if name not in _TABLES:
        reason = f"There is no table {name[:40]!r}; there are {', '.join(_TABLES)}."
        raise not_found(reason)
    if form not in _FORMS:
        reason = f"format={form[:20]!r}: expected csv or parquet"
        raise invalid(reason)
    head, rows = _TABLES[name](await _gathered(request))
    media, write = _FORMS[form]
    body = await asyncio.to_thread(write, head, rows)
    attached = f'attachment; filename="scantrail-{name}.{form}"'
    return web.Response(
        body=body, content_type=media, headers={"Content-Disposition": attached}
    )


async def _gathered(request: web.Request) -> Gathered:
    try:
        async with asyncio.timeout(PATIENCE):
            while True:
                made = (await asked(request)).made
                if made.value is not None:
                    return made.value
    except TimeoutError as error:
        reason = "The figures are still being worked out. Ask again in a minute."
        raise ProblemError(503, ProblemType.BUSY, reason, retry_after=60) from error


def _csv(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    texts = ([None if cell is None else str(cell) for cell in row] for row in rows)
    return csv_rows([head, *texts])


def _parquet(head: Sequence[str], rows: Sequence[Sequence[Cell]]) -> bytes:
    pyarrow, file = _pyarrow(), io.BytesIO()
    kinds = [
        (name, pyarrow.type_for_alias(_KINDS.get(name, "string"))) for name in head
    ]
    columns = {name: [row[at] for row in rows] for at, name in enumerate(head)}
    table = pyarrow.table(columns, schema=pyarrow.schema(kinds))
    pyarrow.parquet.write_table(table, file)
    return file.getvalue()


def _pyarrow() -> ModuleType:
    try:
        importlib.import_module("pyarrow.parquet")
        return importlib.import_module("pyarrow")
    except ImportError as error:
        reason = (
            "Parquet needs pyarrow on the server: pip install 'scantrail[parquet]'. "
            "CSV is there without it."
        )
        raise ProblemError(501, ProblemType.INVALID, reason) from error


_FORMS = MappingProxyType(
    {"csv": ("text/csv", _csv), "parquet": ("application/vnd.apache.parquet", _parquet)}
)
