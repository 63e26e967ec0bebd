"""All of them in one run, each beside the bare table in SQLite.

`SCANTRAIL_BENCH_ROUNDS` says how many batches each of twenty stations sends (7: a day
of a thousand parcels). What is slow gets fewer of them.
"""

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

from bench.measure import Row
from bench.peers import (
    bare,
    couch,
    event_sourcing,
    jetstream,
    redis_streams,
    scantrail,
)
from bench.peers.abilities import markdown
from bench.peers.given import Given, NotHereError, Taken, given

__all__ = ["peers"]

STATIONS = 20
ROUNDS = int(os.environ.get("SCANTRAIL_BENCH_ROUNDS", "7"))

_Measure = Callable[[Path, Given], Awaitable[Taken]]


class _Peer(NamedTuple):
    name: str
    measure: _Measure
    note: str
    rounds: int = ROUNDS
    stations: int = STATIONS


PEERS = (
    _Peer("bare SQLite", bare.sqlite, "the limit"),
    _Peer("bare PostgreSQL", bare.postgresql, "the limit, one connection"),
    _Peer("bare PostgreSQL by four", bare.postgresql_by_four, "four connections"),
    _Peer("Scantrail on a file", scantrail.on_file, "over HTTP, signed, resolved"),
    _Peer("Scantrail on PostgreSQL", scantrail.on_postgresql, "the same"),
    _Peer("peer NATS JetStream", jetstream.jetstream, "NOT flushed when it says yes"),
    _Peer("peer NATS, flushed", jetstream.flushed, "each row flushed", 1, 4),
    _Peer("peer Redis, by script", redis_streams.scripted, "appendfsync always"),
    _Peer("peer Redis, by pipeline", redis_streams.pipelined, "appendfsync always"),
    _Peer("peer PouchDB _bulk_docs", couch.couch, "NOT flushed when it says yes", 2, 5),
    _Peer("peer eventsourcing, recorder", event_sourcing.recorder, "a library"),
    _Peer("peer the same behind aiohttp", event_sourcing.served, "over HTTP"),
    _Peer("peer eventsourcing, app", event_sourcing.application, "the same", 2, 4),
)
"""Those whose name begins with ``peer`` are others' work."""


async def peers(folder: Path) -> list[Row]:
    """What takes how many rows a second; then what each does with them."""
    whole = given(STATIONS, ROUNDS)
    rows: list[Row] = []
    limit: float | None = None
    for number, peer in enumerate(PEERS):
        own = folder / str(number)
        own.mkdir()
        some = whole.some(peer.rounds, peer.stations)
        try:
            taken = await peer.measure(own, some)
        except NotHereError as error:
            print(f"{peer.name}: not measured: {error}")
            continue
        _check(peer.name, taken, some)
        limit = limit or taken.rate
        rows.append(Row(peer.name, taken.rate, limit, "1/s", peer.note))
    print(f"{markdown()}\n")
    return rows


def _check(name: str, taken: Taken, rows: Given) -> None:
    if taken.there is not None and taken.there != rows.rows:
        reason = f"{name}: {rows.rows} rows were sent, {taken.there} are there"
        raise RuntimeError(reason)
