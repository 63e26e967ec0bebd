"""Appending deliveries to the server's SQLite database, inside one transaction."""

import sqlite3
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import msgspec

from server.delivery import Delivery
from server.problems import ProblemError, fork, gap
from server.projections import Arrived
from server.seals import Received, begin, seal
from server.site import Site
from server.station_exceptions import FORK, ROLLBACK
from server.store import Receipt, Station
from server.store.archived import filled
from server.store.clocks import keep as keep_exchange
from server.store.clocks import latest
from server.store.exchanges import Clocks
from server.store.heads import head_at
from server.store.said import keep
from server.store.station_rows import keep_health, note_incident
from server.store.understanding import (
    Understood,
    check_name,
    understand,
    voids,
    with_voids,
)
from server.timing import Basis, When
from shared.chain import start
from shared.protocol import ProblemType

__all__ = ["Appended", "append", "keep_clocks"]


class _Log(msgspec.Struct, kw_only=True):
    """A log's row; ``occurred`` is when its last event happened."""

    id: int
    name: str
    acked: int
    head: bytes
    occurred: int
    backed_up: int


class Appended(NamedTuple):
    """What became of a delivery: new events, and whether hosts may have said more."""

    receipt: Receipt
    arrived: list[Arrived]
    said: bool


def append(
    connection: sqlite3.Connection,
    station: Station,
    delivery: Delivery,
    received: int,
    site: Site,
    *,
    heard: int,
) -> Appended:
    """Append what is new of a delivery.

    ``received`` never goes back, ``heard`` is this server's clock as it is.

    Raises:
        ProblemError: 409, 403 or 400; then nothing was written.
    """
    log = _log(connection, station, delivery)
    already = _agree(connection, log, delivery)
    if log.id == 0:
        log.id = _create(connection, station, log)
    new = delivery.lines[already:]
    clocks = _clocks(connection, station, delivery, heard=heard, received=received)
    understood = understand(
        delivery,
        already,
        actions=site.actions,
        clocks=clocks.of,
        request=clocks.request,
        before=_last(connection, log),
        received=received,
    )
    first = _write_lines(connection, log, understood, received)
    arrived = list(_arrived(connection, log, understood, first))
    said = keep(connection, station, enumerate(understood, first))
    if new:
        log.occurred = understood[-1].when.occurred
        log.acked, log.head = delivery.last, delivery.heads[-1]
        _write_delivery(connection, log, station, delivery, received)
    keep_exchange(connection, station.id, clocks, brought=bool(new))
    if clocks.fresh or new:
        _heard(connection, station, log, delivery, received, heard=heard)
    receipt = Receipt(
        acked=log.acked,
        head=log.head,
        appended=len(new),
        already=already,
        quarantined=[one.seq for one in understood if one.quarantined is not None],
        backed_up=log.backed_up,
        received=received,
    )
    taken_back = any(one.event.line.action == "void" for one in arrived)
    return Appended(receipt, arrived, said or taken_back)


def keep_clocks(
    connection: sqlite3.Connection,
    station: Station,
    delivery: Delivery,
    received: int,
    *,
    heard: int,
) -> None:
    """Keep what the clocks of a delivery tell that was not taken.

    Whoever captured it may send it again when it fits, and it tells another time then.
    """
    clocks = _clocks(connection, station, delivery, heard=heard, received=received)
    keep_exchange(connection, station.id, clocks, brought=False)


def _clocks(
    connection: sqlite3.Connection,
    station: Station,
    delivery: Delivery,
    *,
    heard: int,
    received: int,
) -> Clocks:
    kept = partial(latest, connection, station.id)
    return Clocks(kept, delivery.clock, heard=heard, received=received)


# --- does it fit what is here? --------------------------------------------------------


def _log(connection: sqlite3.Connection, station: Station, delivery: Delivery) -> _Log:
    row = connection.execute(
        "SELECT id, acked, head, occurred, backed_up, station FROM log WHERE name = ?",
        (delivery.log,),
    ).fetchone()
    if row is None:
        check_name(delivery.log)
        return _Log(
            id=0,
            name=delivery.log,
            acked=0,
            head=start(delivery.log),
            occurred=0,
            backed_up=0,
        )
    *fields, owner = row
    if owner != station.id:
        reason = f"log {delivery.log} was begun by another station than {station.name}"
        raise ProblemError(403, ProblemType.LOG, reason)
    names = ("id", "acked", "head", "occurred", "backed_up")
    return _Log(name=delivery.log, **dict(zip(names, fields, strict=True)))


def _agree(connection: sqlite3.Connection, log: _Log, delivery: Delivery) -> int:
    """Return how many of the delivery's lines are here already, all unchanged."""
    if delivery.after > log.acked:
        raise gap(delivery.after, log.acked, log.head)
    if delivery.heads[0] != _head_at(connection, log, delivery.after):
        raise fork(delivery.after, log.acked, log.head)
    kept = connection.execute(
        "SELECT seq, line, position FROM line WHERE log = ? AND seq > ? AND seq <= ?"
        " ORDER BY seq",
        (log.id, delivery.after, delivery.last),
    )
    already = 0
    for seq, line in filled(connection, kept, 1):
        if line != delivery.lines[already]:
            raise fork(seq, log.acked, log.head)
        already += 1
    return already


def _head_at(connection: sqlite3.Connection, log: _Log, seq: int) -> bytes:
    return log.head if seq == log.acked else head_at(connection, log.id, log.name, seq)


# --- what came before, and is there already? ------------------------------------------


def _last(connection: sqlite3.Connection, log: _Log) -> When | None:
    """Return when the log's last event happened."""
    row = connection.execute(
        "SELECT occurred, lo, hi, basis FROM line WHERE log = ? AND seq = ?",
        (log.id, log.acked),
    ).fetchone()
    if row is None:
        return None
    occurred, lo, hi, basis = row
    return When(occurred=occurred, lo=lo, hi=hi, basis=Basis(basis))


# --- writing it -----------------------------------------------------------------------


def _create(connection: sqlite3.Connection, station: Station, log: _Log) -> int:
    found = connection.execute(
        "INSERT INTO log (name, station, acked, head, occurred) VALUES (?, ?, 0, ?, 0)",
        (log.name, station.id, log.head),
    )
    return int(found.lastrowid or 0)


def _write_lines(
    connection: sqlite3.Connection,
    log: _Log,
    understood: list[Understood],
    received: int,
) -> int:
    """Write the lines, and return the position of the first."""
    (position,) = connection.execute(
        "SELECT coalesce(max(position), 0) FROM line"
    ).fetchone()
    connection.executemany(
        "INSERT INTO line (position, log, seq, received, occurred, lo, hi, basis,"
        " quarantined, line) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (
                position + index,
                log.id,
                one.seq,
                received,
                one.when.occurred,
                one.when.lo,
                one.when.hi,
                one.when.basis.value,
                one.quarantined,
                one.data,
            )
            for index, one in enumerate(understood, 1)
        ),
    )
    connection.executemany(
        "INSERT OR IGNORE INTO voided (log, seq, received, by) VALUES (?, ?, ?, ?)",
        (
            (*target, received, one.event.name)
            for one in understood
            if one.event is not None and (target := voids(one.event.line))
        ),
    )
    return int(position) + 1


def _arrived(
    connection: sqlite3.Connection, log: _Log, understood: list[Understood], first: int
) -> Iterator[Arrived]:
    """Return what was understood, with what was taken back before it came."""
    voided = _voided(connection, log.name, log.acked + 1, log.acked + len(understood))
    for seq, event in with_voids(understood, voided):
        yield Arrived(first + seq - log.acked - 1, event)


def _voided(
    connection: sqlite3.Connection, log: str, first: int, last: int
) -> dict[int, str]:
    """Return what was taken back of a range of a log before it came, and by what."""
    found = connection.execute(
        "SELECT seq, by FROM voided WHERE log = ? AND seq BETWEEN ? AND ?"
        " ORDER BY received DESC, by DESC",
        (log, first, last),
    )
    return dict(found.fetchall())


def _write_delivery(
    connection: sqlite3.Connection,
    log: _Log,
    station: Station,
    delivery: Delivery,
    received: int,
) -> None:
    connection.execute(
        "UPDATE log SET acked = ?, head = ?, occurred = ? WHERE id = ?",
        (log.acked, log.head, log.occurred, log.id),
    )
    kept = Received(
        station=station.name,
        log=log.name,
        last=log.acked,
        head=log.head,
        signature=delivery.signature,
        public_key=station.public_key,
        clock=delivery.clock.header() if delivery.clock else None,
        received=received,
    )
    connection.execute(
        "INSERT INTO delivery"
        " (log, last, head, signature, public_key, clock, received, seal)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            log.id,
            kept.last,
            kept.head,
            kept.signature,
            kept.public_key,
            kept.clock,
            kept.received,
            seal(_last_seal(connection), kept),
        ),
    )


def _last_seal(connection: sqlite3.Connection) -> bytes:
    row = connection.execute(
        "SELECT seal FROM delivery ORDER BY number DESC LIMIT 1"
    ).fetchone()
    if row is None:
        row = connection.execute(
            "SELECT value FROM meta WHERE name = 'server'"
        ).fetchone()
        return begin(row[0])
    found: bytes = row[0]
    return found


def _heard(
    connection: sqlite3.Connection,
    station: Station,
    log: _Log,
    delivery: Delivery,
    received: int,
    *,
    heard: int,
) -> None:
    """Note that the station spoke; an empty delivery says that there is no more.

    A request that was sent again, by a proxy or by whoever captured it, says neither.
    """
    complete = not delivery.lines and delivery.after == log.acked
    offset = None if delivery.clock is None else delivery.clock.at - heard
    connection.execute(
        "UPDATE station SET heard = ?, horizon = max(coalesce(horizon, 0), ?),"
        " clock_offset = coalesce(?, clock_offset) WHERE id = ?",
        (received, received if complete else log.occurred, offset, station.id),
    )
    keep_health(connection, station, delivery.health, received)
    if not delivery.lines and delivery.after < log.acked:
        _note_rollback(connection, station, log, received)


def _note_rollback(
    connection: sqlite3.Connection, station: Station, log: _Log, received: int
) -> None:
    """Remember that a station has less than it told, unless it looks for a fork."""
    forked = connection.execute(
        "SELECT 1 FROM incident WHERE station = ? AND code = ? AND log = ?",
        (station.id, FORK, log.name),
    ).fetchone()
    if forked is None:
        note_incident(
            connection, station, ROLLBACK, log=log.name, seq=log.acked, now=received
        )
