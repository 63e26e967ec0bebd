"""``make bench``: prints ratios against limits measured in the same run.

Figures are medians of rounds in which the limit and the product take turns, so that a
disk that gets slower slows both. The result is kept as data in ``bench/results``.
``python -m bench first_scan memory`` measures only what it names.
"""

import asyncio
import json
import sqlite3
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import gmtime, strftime

from bench.console import console
from bench.day import day
from bench.engine import engine
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
        console,
        scaling,
        peers,
        day,
    )
}


def main(names: Sequence[str] = ()) -> None:
    """Measure what is named, else everything; print, and keep the result."""
    with tempfile.TemporaryDirectory(prefix="scantrail-bench-") as name:
        rows: list[Row] = []
        for measure in names or MEASURES:
            folder = Path(name) / measure
            folder.mkdir()
            rows += asyncio.run(MEASURES[measure](folder))
    print(table(rows))
    _RESULTS.mkdir(exist_ok=True)
    path = _RESULTS / f"{strftime('%Y-%m-%dT%H-%M-%SZ', gmtime())}.json"
    kept = {"sqlite": sqlite3.sqlite_version, "rows": [row._asdict() for row in rows]}
    path.write_text(json.dumps(kept, indent=1))
    print(f"\nkept in {path.relative_to(_RESULTS.parents[1])}")


if __name__ == "__main__":
    main(sys.argv[1:])
