"""Appending deliveries to the server's PostgreSQL database, in one transaction."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import cast

import msgspec

from server.anew import Late
from server.delivery import Delivery
from server.events import Event
from server.fold import named
from server.history import Role, mentions
from server.kept import Unwritten
from server.problems import ProblemError
from server.projections import Arrived
from server.site import Site
from server.store import Receipt, Station
from server.store.exchanges import Clocks
from server.store.postgres import backups, locks, logs, said, station_rows, turn
from server.store.postgres.database import ALONE_AFTER, Database, MeetingError
from server.store.postgres.holding import Held
from server.store.postgres.logs import Anchors, Log
from server.store.postgres.reading import place
from server.store.postgres.remembered import Remembered, Version
from server.store.postgres.shelf import PgShelf, take_in
from server.store.understanding import Understood, understand, voids, with_voids
from shared.protocol import ProblemType

__all__ = ["Appending", "Outcome"]

One = tuple[Station, Delivery]


class Outcome(msgspec.Struct, frozen=True):
    """What became of deliveries, each; and the turn in which that was committed."""

    receipts: list[Receipt | ProblemError]
    turn: turn.Turn | None


class _New(msgspec.Struct, kw_only=True):
    """What is new of a delivery that fits."""

    station: Station
    delivery: Delivery
    log: Log
    already: int
    clocks: Clocks
    understood: list[Understood]


class Appending:
    """Appends deliveries, each of another log, whenever it is run.

    Args:
        batch: Who brings what.
        site: The site's rules.
        check: Looks whether this process may write by the rules that it knows.
        heard: This server's clock as it is.
        clock: Now, if not by the database's clock.
        floor: Returns a moment that was given out, and lies before what comes now.
        remembered: What earlier transactions of the same worker knew of items.

    ``versions`` is what it knew itself, once it is committed.
    """

    def __init__(
        self,
        batch: Sequence[One],
        site: Site,
        *,
        check: Callable[[tuple[str, str]], None],
        heard: int,
        clock: int | None,
        floor: Callable[[], int],
        remembered: Remembered,
    ) -> None:
        self._batch, self._site, self._check = batch, site, check
        self._heard, self._clock, self._floor = heard, clock, floor
        self._items: set[str] = set()
        self._places: set[str] = set()
        self._runs = 0
        self._remembered = remembered
        self.versions: Mapping[str, Version] = {}

    def begin(self) -> str:
        """Return what begins its transaction: beside others, alone after meetings."""
        beside = self._runs < ALONE_AFTER
        return f"BEGIN; {locks.BESIDE_OTHERS if beside else locks.ALONE}"

    def __call__(self, database: Database) -> Outcome:
        """Append them; to be run in a transaction, again where that failed."""
        self._runs, self.versions = self._runs + 1, {}
        self._remembered.begin(database)
        begun = turn.begin(database, self._clock)
        self._check(begun.follows)
        moment = begun.moment
        logs.hold_stations(database, (station.id for station, _ in self._batch))
        found = logs.hold(database, self._batch)
        outcomes = list(self._compare(database, found, moment))
        new = [one for one in outcomes if isinstance(one, _New)]
        places = self._hold(database, new)
        arrived = self._write(database, new)
        said_any = said.keep(
            database, [(one.station, one.log, one.understood) for one in new]
        )
        late = self._take(database, arrived, begun.number, places)
        self._note(database, new, moment)
        brought = [_brought(one) for one in new if one.understood]
        done = None
        if brought:
            taken_back = any(one.event.line.action == "void" for one in arrived)
            done = turn.commit(
                database,
                brought,
                clock=self._clock,
                floor=self._floor(),
                said=said_any or taken_back,
                late=late,
            )
        received = moment if done is None else done.received
        return Outcome(
            [
                _receipt(one, received) if isinstance(one, _New) else one
                for one in outcomes
            ],
            done,
        )

    # --- what is new? -----------------------------------------------------------------

    def _compare(
        self, database: Database, found: dict[str, Log], moment: int
    ) -> Iterator[_New | ProblemError]:
        """Find out of each delivery what is new, or why it does not fit."""
        anchors = Anchors(database, self._batch)
        for station, delivery in self._batch:
            log = found.get(delivery.log)
            clocks = Clocks(
                anchors.of(station.id),
                delivery.clock,
                heard=self._heard,
                received=moment,
            )
            try:
                already = logs.agree(database, log, station, delivery)
            except ProblemError as problem:
                if log is not None and log.new:
                    database.do("DELETE FROM log WHERE id = $1", log.id)
                _note_problem(database, station, delivery, problem, moment)
                # sent again once it fits, its clocks would tell another time
                station_rows.keep_exchanges(database, [(station.id, clocks, False)])
                yield problem
            else:
                log = cast("Log", log)  # agree refuses a log that nobody began
                understood = understand(
                    delivery,
                    already,
                    actions=self._site.actions,
                    clocks=clocks.of,
                    request=clocks.request,
                    before=log.before,
                    received=moment,
                )
                yield _New(
                    station=station,
                    delivery=delivery,
                    log=log,
                    already=already,
                    clocks=clocks,
                    understood=understood,
                )

    # --- writing it -------------------------------------------------------------------

    def _hold(self, database: Database, new: list[_New]) -> locks.Places:
        """Hold logs that are taken back from, and places."""
        logs = {one.log.name for one in new if one.understood}
        lines = [event.line for one in new for event in _events(one)]
        counted = [line.location for line in lines if line.action == "count"]
        return locks.hold(
            database,
            logs=logs,
            targets={target[0] for target, *_ in _voids(new)} - logs,
            seen={*filter(None, (line.location for line in lines)), *self._places},
            counted={*filter(None, counted), *self._places},
        )

    def _write(self, database: Database, new: list[_New]) -> list[Arrived]:
        """Write lines, and return their events, with what took them back before."""
        logs.write_lines(
            database, [(one.log, one.delivery.last, one.understood) for one in new]
        )
        taken_back = [(*target, log, seq) for target, log, seq in _voids(new)]
        if taken_back:
            database.columns(_VOID, taken_back, 4)
        voided = _voided(database, [one for one in new if one.understood])
        return [
            Arrived(place(one.log.id, seq), event)
            for one in new
            for seq, event in with_voids(one.understood, voided.get(one.log.name, {}))
        ]

    def _take(
        self,
        database: Database,
        arrived: list[Arrived],
        number: int,
        places: locks.Places,
    ) -> Late:
        """Take events in by the rules, holding all that they concern.

        Return what came late.
        """
        if not arrived:
            return Late()
        events = [one.event for one in arrived]
        items = {key for event in events for key in self._about(event)}
        seen = {e.line.location for e in events if e.line.location is not None}
        beside = self._items | self._remembered.beside(items)
        held = Held(database, places, items | beside, self._remembered, number)
        unwritten = Unwritten()
        try:
            held.begin()
            shelf = PgShelf(database, held, unwritten, number)
            shelf.look_at(seen)
            late = take_in(shelf, self._site, unwritten, arrived, work=0)
        except MeetingError:
            self._items |= held.met
            self._remembered.meet(items, held.met)
            self._places |= held.met_places
            raise
        self.versions = held.versions
        return late

    def _about(self, event: Event) -> Iterable[str]:
        line = event.line
        if line.container is None and line.items is None:
            return named(event)
        spoken_of = mentions(line, self._site.actions)
        keys = [key for key, role in spoken_of if role is not Role.PLACE]
        return [*named(event), *keys]

    def _note(self, database: Database, new: list[_New], moment: int) -> None:
        """Note up to where logs are, and that their stations spoke."""
        for one in new:
            if one.understood:
                last, log = one.understood[-1].when, one.log
                log.acked, log.head = one.delivery.last, one.delivery.heads[-1]
                log.occurred, log.lo, log.hi = last.occurred, last.lo, last.hi
                log.basis = last.basis.value
        logs.write_on(database, (one.log for one in new if one.understood))
        station_rows.keep_exchanges(
            database,
            [(one.station.id, one.clocks, bool(one.understood)) for one in new],
        )
        spoke = [
            (one.station, one.log, one.delivery)
            for one in new
            if one.clocks.fresh or one.understood
        ]
        station_rows.note_heard(database, spoke, moment, heard=self._heard)


def _events(one: _New) -> list[Event]:
    return [line.event for line in one.understood if line.event is not None]


def _voids(new: Iterable[_New]) -> Iterator[tuple[tuple[str, int], int, int]]:
    """Return what is taken back, and by which line of which log of ours."""
    for one in new:
        for line in one.understood:
            if line.event is not None and (target := voids(line.event.line)):
                yield target, one.log.id, line.seq


_VOID = """
INSERT INTO voided (log, seq, by_log, by_seq)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[])
ON CONFLICT DO NOTHING
"""
_VOIDED = """
SELECT v.log, v.seq, b.name || ':' || v.by_seq
FROM unnest($1::text[], $2::bigint[], $3::bigint[]) k (log, first, last)
JOIN voided v ON v.log = k.log AND v.seq BETWEEN k.first AND k.last
JOIN log b ON b.id = v.by_log
ORDER BY v.by_log DESC, v.by_seq DESC
"""


def _voided(database: Database, new: list[_New]) -> dict[str, dict[int, str]]:
    """Return by log what was taken back of it, and by what."""
    found: dict[str, dict[int, str]] = {}
    ranges = [
        (one.log.name, one.understood[0].seq, one.understood[-1].seq) for one in new
    ]
    if ranges:
        for log, seq, by in database.columns(_VOIDED, ranges, 3):
            found.setdefault(log, {})[seq] = by
    return found


def _note_problem(
    database: Database,
    station: Station,
    delivery: Delivery,
    problem: ProblemError,
    moment: int,
) -> None:
    station_rows.note_conflict(database, station, delivery.log, problem, moment)
    if problem.problem.type == ProblemType.GAP:
        backups.note_told(database, delivery.log, delivery.after)


def _brought(one: _New) -> turn.Brought:
    clock = one.delivery.clock
    return turn.Brought(
        log_id=one.log.id,
        lines=len(one.understood),
        station=one.station.name,
        log=one.log.name,
        last=one.log.acked,
        head=one.log.head,
        signature=one.delivery.signature,
        public_key=one.station.public_key,
        clock=clock.header() if clock else None,
    )


def _receipt(one: _New, received: int) -> Receipt:
    return Receipt(
        acked=one.log.acked,
        head=one.log.head,
        appended=len(one.understood),
        already=one.already,
        quarantined=[o.seq for o in one.understood if o.quarantined is not None],
        backed_up=one.log.backed_up,
        received=received,
    )
