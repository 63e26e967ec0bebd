"""``make faults``: the campaigns of faults against the station.

``python -m tests.faults [--part NAME] [--count N] [--seed N] [--in FOLDER]``. It prints
what it did, and each outcome that was wrong; its status is 0 only if there was none.
"""

import argparse
import asyncio
import logging
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.faults import (
    backlog,
    calls,
    clones,
    kills,
    mutations,
    server_kills,
    syscalls,
)
from tests.faults.checker import Found
from tests.faults.scenes import SCENES


class Tally(NamedTuple):
    """How many there were of each, and what was wrong."""

    counts: Counter[str]
    wrong: list[object]


def of_syscalls(folder: Path, count: int, seed: int) -> Tally:
    """Faults at system calls of each scene, each call's first time first."""
    counts, wrong = Counter[str](), list[object]()
    for one in syscalls.points(list(SCENES), folder, seed):
        if one.fired:
            once = one.fault.often == 1
            counts["points"] += once
            counts["of them, three times in a row, too"] += not once
            counts[f"{one.fault.kind}"] += once
            counts[f"{one.fault.call}"] += once
            counts[f"in {one.scene}"] += once
        if not one.found.fine:
            wrong.append(one)
        if counts["points"] >= count:
            break
    return Tally(counts, wrong)


def of_kills(folder: Path, count: int, seed: int) -> Tally:
    """Lives of a station, each ended by a kill."""
    end = kills.campaign(folder, count, seed)
    counts = Counter({"kill -9": end.cycles, "confirmed": end.confirmed})
    counts["new logs or other notices"] = end.notices
    return Tally(counts, [] if end.found.fine else [end])


def of_server_kills(folder: Path, count: int, seed: int) -> Tally:
    """Lives of a server, each ended by a kill."""
    end = server_kills.campaign(folder, count, seed)
    counts = Counter({"kill -9": end.cycles, "lines acknowledged": end.acked})
    counts["lives that took lines"] = end.served
    counts["backups finished in between"] = end.backups
    return Tally(counts, [] if end.found.fine else [end])


def of_mutations(folder: Path, count: int, seed: int) -> Tally:
    """Damaged outboxes; what was destroyed may be lost, and nothing else be wrong."""
    counts, wrong = Counter[str](), list[object]()
    for one in asyncio.run(mutations.campaign(folder, count, seed)):
        counts[one.done.split()[0]] += 1
        counts["with lines that were destroyed"] += bool(one.found.lost)
        counts["those lines"] += len(one.found.lost)
        counts["slowest start, ms"] = max(
            counts["slowest start, ms"], round(one.seconds * 1000)
        )
        untold = one.found.lost and not one.told
        late = one.seconds > mutations.START
        new = {"P-NEW", "P-LAST"} & set(one.found.lost)
        nothing_else = one.found._replace(lost=[]) == Found([], [], [], [])
        if untold or late or new or not nothing_else:
            wrong.append(one)
    return Tally(counts, wrong)


def of_clones(folder: Path, count: int, seed: int) -> Tally:
    """Old copies put back, and copied cards."""
    outcomes = asyncio.run(clones.campaign(folder, count, seed))
    counts = Counter(one.what.strip("_") for one in outcomes)
    counts["found at first contact"] = sum(one.noticed for one in outcomes)
    wrong = [one for one in outcomes if not (one.noticed and one.found.fine)]
    return Tally(counts, list(wrong))


def of_backlog(folder: Path, count: int, seed: int) -> Tally:
    """A long backlog, and a scan now and then of another station beside it."""
    del seed
    return _measured(asyncio.run(backlog.backlog(folder, count)))


def of_returning(folder: Path, count: int, seed: int) -> Tally:
    """Many stations that come back at once, and one that scans beside them."""
    del seed
    return _measured(asyncio.run(backlog.returning(folder, count)))


def _measured(end: backlog.Outcome) -> Tally:
    counts = Counter(
        {
            "lines of the backlog": end.lines,
            "seconds until they were there": round(end.seconds),
            "MiB of the station's memory, at most": end.station,
            "MiB of the server's memory, at most": end.server,
            "live scans meanwhile": end.live,
            "ms until one was acknowledged, half of them": round(end.median),
            "ms until one was acknowledged, 99 of 100": round(end.p99),
            "ms until one was acknowledged, the slowest": round(end.worst),
        }
    )
    return Tally(
        counts, [f"{end.lost} lines are lost, or too many"] if end.lost else []
    )


PARTS: dict[str, tuple[Callable[[Path, int, int], Tally], int]] = {
    "syscalls": (of_syscalls, 800),
    "kills": (of_kills, 100),
    "server-kills": (of_server_kills, 100),
    "mutations": (of_mutations, 500),
    "clones": (of_clones, 200),
    "backlog": (of_backlog, 5_000),
    "returning": (of_returning, 50),
}
"""Each part, and how many of it there are unless ``--count`` says so."""


def main() -> int:
    """Run the parts; print what came of them."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("--part", choices=PARTS, action="append")
    parser.add_argument("--count", type=int, help="how many, of each part")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--in", dest="folder", help="where the files are made")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    failed = False
    for name in options.part or PARTS:
        part, count = PARTS[name]
        if name == "syscalls" and calls.why_not():
            print(f"syscalls: left out, {calls.why_not()}")
            continue
        began = time.monotonic()
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            tally = part(Path(folder), options.count or count, options.seed)
        print(f"{name}, seed {options.seed}, {time.monotonic() - began:.0f} s:")
        for what, number in sorted(tally.counts.items()):
            print(f"  {number:7} {what}")
        for one in tally.wrong:
            print(f"  WRONG: {one}")
        print(f"  {len(tally.wrong):7} wrong", flush=True)
        failed = failed or bool(tally.wrong)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
