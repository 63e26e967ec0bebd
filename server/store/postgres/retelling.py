"""What came late, told anew: read and told as of one moment, written in pieces.

Whoever takes events in notes what they make stale, in the same transaction. A round
tells all that is noted: it reads and tells as of one moment, and holds nothing
meanwhile. What it found is written in transactions that each hold few items for a short
time. Others go on between them: where they changed anything that the round has looked
at, before its last piece was in place, that is noted to be told once more.
"""

from collections.abc import Callable, Collection, Iterable

import msgspec

from server.anew import Late, Round
from server.events import Order
from server.exceptions import Case
from server.kept import Kept, Unwritten
from server.known import Known
from server.projections import Projection
from server.site import Site
from server.store.postgres import locks, turn
from server.store.postgres.database import ALONE_AFTER, Database, MeetingError, digest
from server.store.postgres.holding import Held, Nobody
from server.store.postgres.reading import inside
from server.store.postgres.remembered import Remembered
from server.store.postgres.shelf import PgShelf
from server.versions import Owned

__all__ = ["Found", "Looking", "Piece", "StoppedError", "SupersededError"]
__all__ += ["beside_others", "finish_apart", "see"]

MOST = 25_000
"""Items that are at hand while a round is told, about."""

Check = Callable[[tuple[str, str]], None]
"""Looks whether this process may write where what is known follows from such rules."""


class StoppedError(Exception):
    """The server ends before a round does."""


class SupersededError(Exception):
    """Somebody else has told what came late, or has made everything anew."""


_Counts = dict[bytes, tuple[int, int]]
"""By the digest of a place, how often it was counted, and how many were taken back."""


class Found(msgspec.Struct, kw_only=True):
    """What a round found, as of the moment when it was read.

    ``session`` stands for the connection that holds others off. ``before`` is what was
    noted when it was read. ``kept`` is what was told anew of its items, ``later`` when
    other containers were last spoken of, ``counts`` which counts of places it knew.
    ``versions`` says which transactions wrote all that it looked at, as far as that is
    as it should be; ``changed`` what somebody else has changed since.
    """

    session: object
    before: turn.Turn
    round: Round
    kept: dict[str, tuple[Known, Case]]
    later: dict[str, Order]
    counts: _Counts
    versions: dict[str, int]
    changed: set[str]


# --- reading and telling --------------------------------------------------------------


class Looking:
    """Tells all that is noted, in a transaction that reads as of one moment.

    Args:
        site: The site's rules.
        ending: Says whether to stop.
    """

    def __init__(self, site: Site, ending: Callable[[], bool]) -> None:
        self._site, self._ending = site, ending

    def __call__(self, database: Database) -> Found | None:
        """Do it; ``None``: nothing is noted.

        Raises:
            StoppedError: It was told to stop.
        """
        before = turn.look(database)
        if before.settled:
            return None
        database.do("SET LOCAL idle_in_transaction_session_timeout = 0")
        ground = _Ground(database)
        told = Round(ground, self._site, _noted(database))
        while told.go_on() is not None:
            if self._ending():
                raise StoppedError
        told.later = told.since
        cases = (case for _, case in ground.kept.values())
        return Found(
            session=database.session,
            before=before,
            round=told,
            kept=ground.kept,
            later={key: o for key, o in ground.later.items() if key in told.around},
            counts=_counts(database, _places(cases)),
            versions=_versions(database, told.keys | told.around),
            changed=set(),
        )


def _noted(database: Database) -> Late:
    late = Late()
    for since, key in database.rows("SELECT since, unnest(items) FROM late"):
        late.add(since, (key,))
    return late


_INSIDE = f"""
SELECT i.key FROM unnest($1::text[]) k (container) {inside("k.container")} i
"""  # noqa: S608 # of constants
_VERSIONS = """
SELECT i.key, i.version FROM unnest($1::bytea[]) k (name) JOIN item i ON i.name = k.name
"""
_COUNTS = """
SELECT c.location, count(*), count(*) FILTER (WHERE EXISTS (
    SELECT 1 FROM log g JOIN voided v ON v.log = g.name AND v.seq = c.line & 4294967295
    WHERE g.id = c.line >> 32))
FROM unnest($1::bytea[]) k (location) JOIN counted c ON c.location = k.location
GROUP BY c.location
"""


class _Ground:
    """A `server.anew.Ground` that keeps for later what is told anew."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._shelf = PgShelf(database, Nobody(database, ""), Unwritten(), 0)
        self.parts, self.expecting_ever = self._shelf.parts, self._shelf.expecting
        self._at_hand: dict[str, Kept] = {}
        self.kept: dict[str, tuple[Known, Case]] = {}
        self.later: dict[str, Order] = {}

    def load(self, keys: Collection[str]) -> None:
        """Have these items at hand."""
        if len(self._at_hand) > MOST:
            self._at_hand = {}
        missing = [key for key in keys if key not in self._at_hand]
        self._at_hand.update((key, Kept(key, Known(), Case())) for key in missing)
        self._at_hand.update((kept.key, kept) for kept in self._shelf.load(missing))

    def get(self, key: str) -> Kept:
        """Return what is kept of an item, to look at."""
        return self._at_hand[key]

    def within(self, containers: Collection[str]) -> Iterable[str]:
        """Return what is directly in any of the containers."""
        return [key for (key,) in self._database.rows(_INSIDE, list(containers))]

    def replace(self, key: str, known: Known, case: Case) -> None:
        """Keep what was told anew of an item."""
        self.kept[key] = known, case

    def heard_later(self, container: str, last: Order) -> None:
        """Note when a container was last spoken of."""
        self.later[container] = max(last, self.later.get(container, last))


def _versions(database: Database, keys: Iterable[str]) -> dict[str, int]:
    rows = database.rows(_VERSIONS, [digest(key) for key in keys])
    return {key: version for key, version in rows}  # noqa: C416 # rows are no pairs


def _places(cases: Iterable[Case]) -> set[str]:
    """Return where a count may have missed items."""
    return {
        place
        for case in cases
        for place in (case.location, *(left for left, _ in case.left))
        if place is not None
    }


def _counts(database: Database, places: Collection[str]) -> _Counts:
    rows = database.rows(_COUNTS, [digest(place) for place in places])
    return {place: (there, taken_back) for place, there, taken_back in rows}


# --- writing --------------------------------------------------------------------------

_BEFORE_ALL = -(2**63)


class Piece:
    """Writes some of what a round found, whenever it is run.

    Args:
        found: What was found.
        keys: Of which of its items and other containers.
        site: The site's rules.
        check: Looks whether this process may write.
        only: It is all that was found.

    ``written`` are the versions of what it wrote, ``changed`` what others had changed
    or has to be told once more, once it is committed.
    """

    def __init__(
        self,
        found: Found,
        keys: Collection[str],
        site: Site,
        check: Check,
        *,
        only: bool,
    ) -> None:
        self._found, self._site, self._check = found, site, check
        self._kept = [(k, *found.kept[k]) for k in keys if k in found.kept]
        self._later = [(k, found.later[k]) for k in keys if k in found.later]
        into = (known.container for _, known, _ in self._kept)
        self._items = {*keys, *(key for key in into if key is not None)}
        self._only, self._runs = only, 0
        self.written: dict[str, int] = {}
        self.changed: set[str] = set()

    def begin(self) -> str:
        """Return what begins its transaction: beside others, alone after meetings."""
        return _begin(locks.BESIDE_OTHERS if self._runs < ALONE_AFTER else locks.ALONE)

    def __call__(self, database: Database) -> turn.Turn | None:
        """Write them; to be run in a transaction, again where that failed.

        Return the turn in which that was noted, if it was all.

        Raises:
            SupersededError: It is not to be written any more.
        """
        self._runs += 1
        number = _go_on(database, self._found, self._check)
        seen = _places(case for *_, case in self._kept)
        places = locks.hold(database, logs=(), targets=(), seen=seen, counted=())
        held = Held(database, places, self._items, Remembered(), number)
        try:
            held.begin_outward()
            self.changed = _changed(self._found, held)
            self.changed |= self._rewrite(database, held, number, seen)
        except MeetingError:
            self._items |= held.met
            raise
        self.written = {
            key: number
            for key, one in held.versions.items()
            if one.number == number and key in self._found.versions
        }
        return finish(database, self._found, self.changed) if self._only else None

    def _rewrite(
        self, database: Database, held: Held, number: int, places: Collection[str]
    ) -> set[str]:
        """Write them; return what a count may have missed since they were read."""
        told, counts = self._found.round, self._found.counts
        now = _counts(database, places)
        told.counts = [
            (place, _BEFORE_ALL)
            for place in places
            if now.get(digest(place)) != counts.get(digest(place))
        ]
        unwritten = Unwritten()
        shelf = PgShelf(database, held, unwritten, number)
        projection = Projection(shelf, self._site, Owned(shelf, unwritten))
        projection.rewrite(told, self._kept, self._later)
        projection.write()
        return projection.late.keys


def _changed(found: Found, held: Held) -> set[str]:
    """Return what was changed since it was read, or since it was written here."""
    return {
        key
        for key, one in held.versions.items()
        if found.versions.get(key, one.number) != one.number
    }


_HOLD = """
SELECT h.key, h.version FROM unnest($1::bytea[]) k (name)
CROSS JOIN LATERAL (
    SELECT i.key, i.version FROM item i WHERE i.name = k.name FOR NO KEY UPDATE
) h
"""


def see(
    database: Database, found: Found, keys: Collection[str], check: Check
) -> set[str]:
    """Return which items others have changed, once everything is written.

    Whoever works on one of them now is waited for, and whoever comes later finds all
    that was written: so nobody's work on what was there before goes unseen.

    Raises:
        SupersededError: It is of no use any more.
    """
    _go_on(database, found, check)
    rows = database.rows(_HOLD, sorted(map(digest, keys)))
    return {key for key, version in rows if found.versions.get(key) != version}


def finish(database: Database, found: Found, again: Collection[str]) -> turn.Turn:
    """Note that all is told, but for some items; to be committed at once.

    Raises:
        SupersededError: That was noted already.
    """
    late = Late()
    late.add(found.round.since, again)
    done = turn.settle(database, found.before, late)
    if done is None:
        raise SupersededError
    return done


def finish_apart(database: Database, found: Found, check: Check) -> turn.Turn:
    """Note the same in a transaction of its own."""
    _go_on(database, found, check)
    return finish(database, found, found.changed)


def beside_others() -> str:
    """Begin a transaction of a round."""
    return _begin(locks.BESIDE_OTHERS)


def _begin(lock: str) -> str:
    # what is lost is told again
    return f"BEGIN; SET LOCAL synchronous_commit = off; {lock}"


def _go_on(database: Database, found: Found, check: Check) -> int:
    """See that a round goes on; return the number of this transaction."""
    if database.session is not found.session:
        raise SupersededError
    begun = turn.begin(database, None)
    check(begun.follows)
    if turn.look(database).told != found.before.told:
        raise SupersededError
    return begun.number
