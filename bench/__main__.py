"""``make bench``: prints ratios against limits measured in the same run.

Figures are medians of rounds in which the limit and the product take turns, so that a
disk that gets slower slows both. The result is kept as data in ``bench/results``, and
compared with the last one there. ``python -m bench first_scan memory`` measures only
what it names.
"""

import asyncio
import json
import os
import platform
import sqlite3
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import gmtime, strftime

from bench.archive import archived
from bench.compare import said
from bench.console import console
from bench.day import day
from bench.engine import anew, engine
from bench.late import late
from bench.measure import Row, table
from bench.peers.measure import peers
from bench.scaling import scaling
from bench.screen import painted
from bench.station import feedback, first_scan, memory
from bench.way import drain, saved, to_acknowledged

__all__ = ["main"]

_RESULTS = Path(__file__).parent / "results"


MEASURES = {
    measure.__name__: measure
    for measure in (
        saved,
        feedback,
        painted,
        first_scan,
        to_acknowledged,
        drain,
        memory,
        engine,
        anew,
        console,
        scaling,
        peers,
        day,
        late,
        archived,
    )
}


def main(names: Sequence[str] = ()) -> None:
    """Measure what is named, else everything; print, compare, and keep the result."""
    unknown = [name for name in names if name not in MEASURES]
    if unknown:
        sys.exit(
            f"not measured here: {' '.join(unknown)}; there are: {' '.join(MEASURES)}"
        )
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="scantrail-bench-") as name:
        rows: list[Row] = []
        for measure in names or MEASURES:
            folder = Path(name) / measure
            folder.mkdir()
            rows += asyncio.run(MEASURES[measure](folder))
    earlier = _earlier()
    print(table(rows, [said(row, earlier) for row in rows]))
    print(f"\nkept in {_keep(rows, load).relative_to(_RESULTS.parents[1])}")
    if load > (os.cpu_count() or 1):
        print(f"the machine was busy before (load {load:.0f}): only ratios say much")


def _earlier() -> list[list[Row]]:
    """Return the results that are kept, the oldest first."""
    return [
        [Row(**row) for row in json.loads(path.read_text("utf-8"))["rows"]]
        for path in sorted(_RESULTS.glob("*.json"))
    ]


def _keep(rows: Sequence[Row], load: float) -> Path:
    _RESULTS.mkdir(exist_ok=True)
    path = _RESULTS / f"{strftime('%Y-%m-%dT%H-%M-%SZ', gmtime())}.json"
    kept = {
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "processors": os.cpu_count(),
        "load": load,
        "rows": [row._asdict() for row in rows],
    }
    path.write_text(json.dumps(kept, indent=1), "utf-8")
    return path


if __name__ == "__main__":
    main(sys.argv[1:])
