"""What went wrong over a period, by cause, step or station: the most frequent first."""

from collections import Counter
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from aiohttp import web

from server.api.context import CONTEXT
from server.console.charts import SIZES, pareto
from server.console.gathering import PARQUET, SPANS, Gathered, asked
from server.console.rendering import page, wording
from server.console.shown import shown
from server.console.words import Words
from server.figures import Incident

__all__ = ["Share", "incidents"]

MOST_COLUMNS, MOST_ROWS = 12, 100
"""Groups in the chart and in its table, at most."""
MOST = 200
"""Incidents on one page, the newest; the table to take has more."""
NOTHING = "-"


class Share(NamedTuple):
    """A group of incidents; ``together`` are those of it and of all before it."""

    key: str
    name: str
    number: int
    together: int


_BY: Mapping[str, Callable[[Incident, Gathered], str]] = MappingProxyType(
    {
        "cause": lambda one, _: one.code,
        "step": lambda one, _: one.step,
        "station": lambda one, found: found.stations.get(one.log, ""),
    }
)


def shares(found: Gathered, by: str, speech: Words) -> list[Share]:
    """Count the incidents of each group, the largest first."""
    group = _BY[by]
    counts = Counter(group(one, found) for one in found.now.incidents)
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
    wanted = await asked(request)
    made, view = wanted.made, wanted.view
    speech, by = wording(request), request.query.get("by", "cause")
    by = by if by in _BY else "cause"
    horizon = await request.app[CONTEXT].store.horizon(view)
    values: dict[str, object] = {}
    if made.value is not None:
        found = made.value
        groups = shares(found, by, speech)
        drawn = [(shown(one.name, 40), one.number) for one in groups[:MOST_COLUMNS]]
        values = {
            "groups": groups[:MOST_ROWS],
            "more": len(groups) - MOST_COLUMNS,
            "charts": [pareto(drawn, size) for size in SIZES],
            "total": len(found.now.incidents),
            "every": found.every,
            "period": found.now.period,
            "newest": found.now.incidents[: -MOST - 1 : -1],
            "stations": found.stations,
        }
    return page(
        request,
        "incidents.html",
        values,
        ready=made.value is not None,
        progress=made.progress,
        by=by,
        groupings=tuple(_BY),
        asked=wanted,
        spans=SPANS,
        parquet=PARQUET,
        behind=horizon.untold(),
        most=MOST,
    )
