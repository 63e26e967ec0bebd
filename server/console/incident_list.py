"""What went wrong over a period, by cause, step or station: the most frequent first."""

from collections import Counter
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from aiohttp import web

from server.api.context import CONTEXT, Context
from server.console.charts import SIZES, pareto
from server.console.estimates import spread_of
from server.console.gathering import (
    DAY,
    PARQUET,
    SPANS,
    WEEK,
    Asked,
    Gathered,
    asked,
)
from server.console.inbox import station_cases
from server.console.rendering import page, wording
from server.console.shown import shown
from server.console.titles import titles
from server.console.words import Words
from server.figures import Sort
from server.store import ExceptionQuery

__all__ = ["Share", "incidents"]

MOST_COLUMNS, MOST_ROWS = 12, 100
"""Groups in the chart and in its table, at most."""
MOST = 200
"""Incidents on one page, the newest; the table to take has more."""
MOST_OPEN = 1000
"""What is open from before is counted up to this."""
NOTHING = "-"


class Share(NamedTuple):
    """A group of incidents; ``together`` are those of it and of all before it."""

    key: str
    name: str
    number: int
    together: int


_BY: Mapping[str, Callable[[Sort, Gathered], str]] = MappingProxyType(
    {
        "cause": lambda one, _: one.code,
        "step": lambda one, _: one.step,
        "station": lambda one, found: found.stations.get(one.log, ""),
    }
)


def shares(found: Gathered, by: str, speech: Words) -> list[Share]:
    """Count the incidents of each group, the largest first."""
    group, counts = _BY[by], Counter[str]()
    for sort, number in found.now.wrong.items():
        counts[group(sort, found)] += number
    together, ordered = 0, []
    for key, number in sorted(counts.items(), key=lambda one: (-one[1], one[0])):
        together += number
        ordered.append(Share(key, _named(by, key, speech), number, together))
    return ordered


def _named(by: str, key: str, speech: Words) -> str:
    table = {"cause": "code", "step": "action"}.get(by)
    return (speech.named(table, key) if table else key) or NOTHING


async def incidents(request: web.Request) -> web.Response:
    """``GET /incidents?by=&days=&at=&known_at=``."""
    context, usual = request.app[CONTEXT], await _usual(request.app[CONTEXT])
    wanted = await asked(request, usual)
    made, view = wanted.made, wanted.view
    speech, by = wording(request), request.query.get("by", "cause")
    by = by if by in _BY else "cause"
    horizon = await context.store.horizon(view)
    values: dict[str, object] = {}
    found = made.best
    if found is not None:
        total = sum(found.now.wrong.values())
        groups = shares(found, by, speech)
        drawn = [(shown(one.name, 40), one.number) for one in groups[:MOST_COLUMNS]]
        values = {
            "groups": groups[:MOST_ROWS],
            "more": len(groups) - MOST_COLUMNS,
            "charts": [pareto(drawn, size) for size in SIZES],
            "total": total,
            "off": spread_of(total, found.every),
            "every": found.every,
            "looked": found.looked,
            "period": found.now.period,
            "newest": found.now.incidents[: -MOST - 1 : -1],
            "stations": found.stations,
        }
        named = {one.item for one in found.now.incidents[: -MOST - 1 : -1]}
        values["titles"] = await titles(context.store, named)
    return page(
        request,
        "incidents.html",
        values,
        ready=found is not None,
        progress=made.progress,
        by=by,
        groupings=tuple(_BY),
        asked=wanted,
        past=view if wanted.moved else None,
        spans=SPANS,
        parquet=PARQUET,
        behind=horizon.untold(),
        most=MOST,
        before=0 if wanted.moved else await _open_before(context, wanted),
        stations_open=0 if wanted.moved else len(await station_cases(context)),
        most_open=MOST_OPEN,
        widened=usual > WEEK and "days" not in request.query,
    )


async def _usual(context: Context) -> int:
    """Return the days that are shown if nobody says: the fewest with anything in them.

    Of those that can be chosen, and a week or more.
    """
    newest = await context.store.exceptions(ExceptionQuery(open=None, limit=1))
    age = context.store.present() - newest[0].since if newest else 0
    spans = [one for one in SPANS if one >= WEEK]
    return next((one for one in spans if age < one * DAY), spans[-1])


async def _open_before(context: Context, wanted: Asked) -> int:
    """Count what is open of items and began before the period, up to `MOST_OPEN`."""
    begin = wanted.view.at - wanted.days * DAY
    query = ExceptionQuery(after=(begin, "", ""), limit=MOST_OPEN)
    return len(await context.store.exceptions(query))
