"""What a transaction that writes holds, so that two never work on the same at once.

All is taken in one order: the world, stations, logs, voids, places, items, and the turn
at the end; what is found out later is only tried, and where another holds it, the
transaction is run again and takes it with the rest. So there is no deadlock.
"""

from collections.abc import Collection, Iterable
from zlib import crc32

from server.store.postgres.database import Database, MeetingError

__all__ = ["TRY_TURN", "Places", "alone", "beside_others", "in_turn", "voids"]

_KIND, _VOIDS, _PLACES = 5_367, 5_368, 5_369
"""The first halves of our advisory locks; others may use the database, too."""
_WORLD, _TURN = 0, 1
_BUCKETS = 64
"""So many locks stand for all logs, and for all places: PostgreSQL has few of them."""

TRY_TURN = f"pg_try_advisory_xact_lock_shared({_KIND}, {_TURN})"
"""An expression: whether nobody is committing now."""

_TAKE = """
SELECT CASE WHEN k.alone THEN pg_advisory_xact_lock($1, k.number)
    ELSE pg_advisory_xact_lock_shared($1, k.number) END
FROM unnest($2::integer[], $3::boolean[]) AS k (number, alone)
"""
_TRY = """
SELECT CASE WHEN $3 THEN pg_try_advisory_xact_lock($1, $2)
    ELSE pg_try_advisory_xact_lock_shared($1, $2) END
"""


def beside_others(database: Database) -> None:
    """Work beside others."""
    database.do(f"SELECT pg_advisory_xact_lock_shared({_KIND}, {_WORLD})")


def alone(database: Database) -> None:
    """Wait until nobody else appends, and hold others up until the end."""
    database.do(f"SELECT pg_advisory_xact_lock({_KIND}, {_WORLD})")


def in_turn(database: Database) -> None:
    """Wait for our turn to commit; the next one's comes once we have."""
    database.do(f"SELECT pg_advisory_xact_lock({_KIND}, {_TURN})")


def _bucket(name: str) -> int:
    return crc32(name.encode()) % _BUCKETS


def _take(
    database: Database, kind: int, shared: Iterable[str], own: Iterable[str]
) -> dict[int, bool]:
    held = {_bucket(name): False for name in shared}
    held.update((_bucket(name), True) for name in own)
    wanted = sorted(held)
    if wanted:
        database.do(_TAKE, kind, wanted, [held[number] for number in wanted])
    return held


def voids(database: Database, logs: Iterable[str], targets: Iterable[str]) -> None:
    """Let no event come while it is taken back, nor be taken back while it comes.

    Args:
        database: In a transaction.
        logs: Those that get lines.
        targets: Those of whose lines some are taken back.
    """
    _take(database, _VOIDS, logs, targets)


class Places:
    """The places that a transaction deals with: shared, or alone where it counts one.

    Args:
        database: In a transaction.
        seen: Where something was.
        counted: What was counted.
    """

    def __init__(
        self, database: Database, seen: Iterable[str], counted: Collection[str]
    ) -> None:
        self._database = database
        self._held = _take(database, _PLACES, seen, counted)

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
