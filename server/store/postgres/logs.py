"""The logs of a transaction: held, compared with what stations sent, written on."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

import msgspec

from server.delivery import Delivery
from server.problems import ProblemError, fork, gap
from server.store import Station
from server.store.postgres.archived import AT, filled
from server.store.postgres.database import Database, Row
from server.store.understanding import Understood, check_name
from server.timing import Anchor, Basis, When
from shared.chain import start, walk
from shared.protocol import ClockReading, ProblemType

__all__ = [
    "Anchors",
    "Log",
    "agree",
    "head_at",
    "hold",
    "hold_stations",
    "write_lines",
    "write_on",
]

_LOGS = """
SELECT id, name, station, acked, head, occurred, lo, hi, basis, backed_up
FROM log WHERE name = ANY($1) ORDER BY name FOR NO KEY UPDATE
"""
_BEGIN = """
INSERT INTO log (name, station, acked, head, occurred)
SELECT name, station, 0, head, 0
FROM unnest($1::text[], $2::bigint[], $3::bytea[]) v (name, station, head)
ORDER BY name ON CONFLICT (name) DO NOTHING
"""
_LINE = (
    *("log", "seq", "delivered", "occurred", "lo", "hi", "basis"),
    *("quarantined", "line"),
)


class Log(msgspec.Struct, kw_only=True):
    """A log's row; ``occurred``, ``lo``, ``hi``, ``basis`` are of its last line."""

    id: int
    name: str
    station: int
    acked: int
    head: bytes
    occurred: int
    lo: int
    hi: int
    basis: str
    backed_up: int
    new: bool = False

    @property
    def before(self) -> When | None:
        """When its last event happened."""
        if self.acked == 0:
            return None
        return When(
            occurred=self.occurred, lo=self.lo, hi=self.hi, basis=Basis(self.basis)
        )


def hold_stations(database: Database, stations: Iterable[int]) -> None:
    """Hold stations' rows until the end."""
    database.do(
        "SELECT 1 FROM station WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE",
        sorted(set(stations)),
    )


def hold(
    database: Database, batch: Iterable[tuple[Station, Delivery]]
) -> dict[str, Log]:
    """Hold the logs of deliveries until the end, and begin those that are new."""
    owners = {delivery.log: station.id for station, delivery in batch}
    found = _held(database, owners)
    missing = sorted(name for name in owners.keys() - found.keys() if _is_name(name))
    if missing:
        begun = [(name, owners[name], start(name)) for name in missing]
        database.columns(_BEGIN, begun, 3)
        later = _held(database, missing)
        for log in later.values():
            log.new = log.acked == 0
        found.update(later)
    return found


def _held(database: Database, names: Iterable[str]) -> dict[str, Log]:
    fields = Log.__struct_fields__
    return {
        row[1]: Log(**dict(zip(fields, row, strict=False)))
        for row in database.rows(_LOGS, sorted(names))
    }


def _is_name(name: str) -> bool:
    try:
        check_name(name)
    except ProblemError:
        return False
    return True


# --- does it fit what is here? --------------------------------------------------------


def agree(
    database: Database, log: Log | None, station: Station, delivery: Delivery
) -> int:
    """Return how many of the delivery's lines are here already, all unchanged.

    Raises:
        ProblemError: 409, 403 or 400; then nothing was written.
    """
    if log is None:
        check_name(delivery.log)
        raise AssertionError(delivery.log)  # pragma: no cover # it was begun
    if log.station != station.id:
        reason = f"log {delivery.log} was begun by another station than {station.name}"
        raise ProblemError(403, ProblemType.LOG, reason)
    if delivery.after > log.acked:
        raise gap(delivery.after, log.acked, log.head)
    if delivery.heads[0] != _head_at(database, log, delivery.after):
        raise fork(delivery.after, log.acked, log.head)
    if delivery.after == log.acked:
        return 0
    kept = _lines(database, log.id, delivery.after, delivery.last)
    for already, line in enumerate(kept):
        if line != delivery.lines[already]:
            raise fork(delivery.after + already + 1, log.acked, log.head)
    return len(kept)


def _lines(database: Database, log: int, after: int, last: int) -> list[bytes]:
    found = database.rows(
        f"SELECT l.line, {AT} FROM line l"  # noqa: S608 # of constants
        " WHERE l.log = $1 AND l.seq > $2 AND l.seq <= $3 ORDER BY l.seq",
        log,
        after,
        last,
    )
    return [line for (line,) in filled(database, found, 0)]


def _head_at(database: Database, log: Log, seq: int) -> bytes:
    return log.head if seq == log.acked else head_at(database, log.id, log.name, seq)


def head_at(database: Database, log: int, name: str, seq: int) -> bytes:
    """Return H(seq), from the last delivery before it and the lines since."""
    last, head = database.row(
        "SELECT last, head FROM delivery WHERE log = $1 AND last <= $2"
        " ORDER BY last DESC LIMIT 1",
        log,
        seq,
    ) or (0, start(name))
    return walk(head, _lines(database, log, last, seq))[-1]


# --- the clocks of their stations -----------------------------------------------------

_ANCHORS = """
SELECT k.station, k.boot, a.clock, a.heard, a.received
FROM unnest($1::bigint[], $2::text[]) k (station, boot)
CROSS JOIN LATERAL (
    SELECT mono, clock, heard, received FROM anchor
    WHERE station = k.station AND boot = k.boot ORDER BY mono DESC LIMIT $3
) a ORDER BY a.mono DESC
"""
_MOST = 200


class Anchors:
    """The exchanges of boots: those of the boots that deliveries come from, at once."""

    def __init__(
        self, database: Database, batch: Iterable[tuple[Station, Delivery]]
    ) -> None:
        self._database = database
        wanted = {
            (station.id, delivery.clock.boot)
            for station, delivery in batch
            if delivery.clock is not None and delivery.clock.boot
        }
        self._known: dict[tuple[int, str], list[Anchor]] = {}
        self._read(sorted(wanted))

    def of(self, station: int) -> Callable[[str, int], list[Anchor]]:
        """Return what reads the latest exchanges of a station's boots."""
        return partial(self._latest, station)

    def _latest(self, station: int, boot: str, most: int) -> list[Anchor]:
        if (station, boot) not in self._known:
            self._read([(station, boot)])
        return self._known[station, boot][:most]

    def _read(self, wanted: Sequence[tuple[int, str]]) -> None:
        self._known.update((one, []) for one in wanted)
        if not wanted:
            return
        stations, boots = zip(*wanted, strict=True)
        for station, boot, clock, heard, received in self._database.rows(
            _ANCHORS, list(stations), list(boots), _MOST
        ):
            reading = ClockReading.from_header(clock)
            anchor = Anchor(clock=reading, heard=heard, received=received)
            self._known[station, boot].append(anchor)


# --- writing --------------------------------------------------------------------------


def write_lines(
    database: Database, told: Iterable[tuple[Log, int, list[Understood]]]
) -> None:
    """Write new lines: of each log, with the last line of the delivery."""
    database.copy("line", _LINE, [row for one in told for row in _rows(*one)])


def _rows(log: Log, delivered: int, understood: list[Understood]) -> Iterator[Row]:
    for one in understood:
        when = one.when
        yield (
            *(log.id, one.seq, delivered, when.occurred, when.lo, when.hi),
            *(when.basis.value, one.quarantined, one.data),
        )


_ON = """
UPDATE log SET acked = v.acked, head = v.head, occurred = v.occurred, lo = v.lo,
    hi = v.hi, basis = v.basis
FROM unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::bigint[], $5::bigint[],
    $6::bigint[], $7::text[]) v (id, acked, head, occurred, lo, hi, basis)
WHERE log.id = v.id
"""


def write_on(database: Database, logs: Iterable[Log]) -> None:
    """Write up to where logs are."""
    rows = [
        (log.id, log.acked, log.head, log.occurred, log.lo, log.hi, log.basis)
        for log in logs
    ]
    if rows:
        database.columns(_ON, rows, 7)
