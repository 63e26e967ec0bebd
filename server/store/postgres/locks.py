"""What a transaction that writes holds, so that two never work on the same at once.

All is taken in one order: the world, stations, logs, voids, places, items, and the turn
at the end; what is found out later is only tried, and where another holds it, the
transaction is run again and takes it with the rest. So there is no deadlock.
"""

from collections.abc import Iterable
from zlib import crc32

from server.store.postgres.database import Database, MeetingError

__all__ = ["ALONE", "BESIDE_OTHERS", "SERVE_BY", "TRY_TURN", "Places", "alone"]
__all__ += ["hold", "in_turn", "is_served_by", "let_others", "number_of", "only_one"]

_KIND, _VOIDS, _PLACES, _RULES = 5_367, 5_368, 5_369, 5_370
"""The first halves of our advisory locks; others may use the database, too."""
_WORLD, _TURN, _ROUND = 0, 1, 2
_BUCKETS = 64
"""So many locks stand for all logs, and for all places: PostgreSQL has few of them."""

SERVE_BY = f"SELECT pg_advisory_lock_shared({_RULES}, $1)"
"""A statement: show that a process serves by rules, until its connection ends."""

TRY_TURN = f"pg_try_advisory_xact_lock_shared({_KIND}, {_TURN})"
"""An expression: whether nobody is committing now."""

BESIDE_OTHERS = f"SELECT pg_advisory_xact_lock_shared({_KIND}, {_WORLD})"
"""A statement: work beside others."""
ALONE = f"SELECT pg_advisory_xact_lock({_KIND}, {_WORLD})"
"""A statement: wait until nobody else appends, and hold others up until the end."""

_TAKE = """
SELECT CASE WHEN k.alone THEN pg_advisory_xact_lock(k.kind, k.number)
    ELSE pg_advisory_xact_lock_shared(k.kind, k.number) END
FROM unnest($1::integer[], $2::integer[], $3::boolean[]) AS k (kind, number, alone)
"""
_TRY = """
SELECT CASE WHEN $3 THEN pg_try_advisory_xact_lock($1, $2)
    ELSE pg_try_advisory_xact_lock_shared($1, $2) END
"""


def alone(database: Database) -> None:
    """Wait until nobody else appends, and hold others up until the end."""
    database.do(ALONE)


def in_turn(database: Database) -> None:
    """Wait for our turn to commit; the next one's comes once we have."""
    database.do(f"SELECT pg_advisory_xact_lock({_KIND}, {_TURN})")


def only_one(database: Database) -> bool:
    """Be the one that tells what came late, until this connection ends or `let_others`.

    Return whether nobody else is.
    """
    (free,) = database.one(f"SELECT pg_try_advisory_lock({_KIND}, {_ROUND})")
    return bool(free)


def let_others(database: Database) -> None:
    """Let others tell what came late."""
    database.do(f"SELECT pg_advisory_unlock({_KIND}, {_ROUND})")


def number_of(rules: str) -> int:
    """Return the number of the lock that stands for rules."""
    return crc32(rules.encode()) >> 1  # the second half of a lock is a signed integer


def is_served_by(database: Database, rules: str) -> bool:
    """Whether a process serves by these rules now."""
    (free,) = database.one(_TRY, _RULES, number_of(rules), True)  # noqa: FBT003 # alone
    return not free


def _bucket(name: str) -> int:
    return crc32(name.encode()) % _BUCKETS


def _buckets(shared: Iterable[str], own: Iterable[str]) -> dict[int, bool]:
    wanted = {_bucket(name): False for name in shared}
    wanted.update((_bucket(name), True) for name in own)
    return wanted


def hold(
    database: Database,
    *,
    logs: Iterable[str],
    targets: Iterable[str],
    seen: Iterable[str],
    counted: Iterable[str],
) -> "Places":
    """Hold what a transaction deals with beside its stations, its logs and its items.

    Args:
        database: In a transaction.
        logs: Those that get lines: none of them is taken back before it is here.
        targets: Those of whose lines some are taken back: none comes meanwhile.
        seen: Where something was.
        counted: What was counted.
    """
    voids, places = _buckets(logs, targets), _buckets(seen, counted)
    wanted = [
        (kind, number, held[number])
        for kind, held in ((_VOIDS, voids), (_PLACES, places))
        for number in sorted(held)
    ]
    if wanted:
        database.columns(_TAKE, wanted, 3)
    return Places(database, places)


class Places:
    """The places that a transaction deals with: shared, or alone where it counts one.

    Args:
        database: In a transaction.
        held: By the numbers of their locks, whether alone.
    """

    def __init__(self, database: Database, held: dict[int, bool]) -> None:
        self._database, self._held = database, held

    def hold(self, place: str, *, alone: bool = False) -> None:
        """Hold another place, too.

        Raises:
            MeetingError: Another transaction has it.
        """
        number = _bucket(place)
        if self._held.get(number, False) or (number in self._held and not alone):
            return
        (free,) = self._database.one(_TRY, _PLACES, number, alone)
        if not free:
            raise MeetingError
        self._held[number] = alone
