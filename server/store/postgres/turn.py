"""The turn to commit: the server's own order, given to what is committed in it.

Whoever has the turn gives positions, a moment and seals, and commits; only then comes
the next. So what is seen first stands first, whatever process looks at it: a reader who
has read up to a position has read everything before it, for ever.
"""

from collections.abc import Sequence

import msgspec

from server.seals import Received, seal
from server.store.postgres import locks
from server.store.postgres.database import Database

__all__ = [
    "CHANNEL",
    "CLOCK",
    "Begun",
    "Brought",
    "Turn",
    "begin",
    "commit",
    "note_said",
]
__all__ += ["note_tokens", "now", "number", "told"]

CHANNEL = "scantrail"
"""Where every process hears of what was committed: the numbers of a `Turn`."""

CLOCK = "coalesce($1, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint)"
"""An expression: now, by the clock of the database, which all processes share.

Its parameter is another clock's, for tests.
"""


_NUMBER = "pg_current_xact_id()::text::bigint"


class Turn(msgspec.Struct, frozen=True):
    """Up to where everything is committed.

    ``said`` grows whenever something was said or a station changed, ``stations``
    whenever a station or one of its tokens did.
    """

    position: int
    received: int
    said: int
    stations: int


class Brought(msgspec.Struct, frozen=True, kw_only=True):
    """Lines of a log that a delivery brought: so many, up to ``last``."""

    log_id: int
    lines: int
    station: str
    log: str
    last: int
    head: bytes
    signature: bytes
    public_key: bytes
    clock: str | None


def now(database: Database, clock: int | None) -> int:
    """Return now by the database's clock, unless another is given."""
    (found,) = database.one(f"SELECT {CLOCK}", clock)
    return int(found)


class Begun(msgspec.Struct, frozen=True):
    """A transaction: now, its number, which no other ever has, and what is in force."""

    moment: int
    number: int
    rules: str
    layout: str

    @property
    def follows(self) -> tuple[str, str]:
        """What is known follows from these rules, and is written in this way."""
        return self.rules, self.layout


_BEGUN = f"""
SELECT {CLOCK}, {_NUMBER}, (SELECT value FROM meta WHERE name = 'rules'),
    (SELECT value FROM meta WHERE name = 'layout')
"""  # noqa: S608 # of constants


def begin(database: Database, clock: int | None) -> Begun:
    """Return what a transaction begins with."""
    return Begun(*database.one(_BEGUN, clock))


def number(database: Database) -> int:
    """Return the number of this transaction, which no other ever has."""
    (found,) = database.one(f"SELECT {_NUMBER}")
    return int(found)


_TURN = f"""
SELECT {CLOCK}, position, number, received, seal, said, stations FROM turn
"""  # noqa: S608 # of constants
_SEAL = """
WITH written AS (
    INSERT INTO delivery (log, last, position, number, head, signature, public_key,
        clock, received, seal)
    SELECT v.log, v.last, v.position, v.number, v.head, v.signature, v.public_key,
        v.clock, $9, v.seal
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bytea[],
        $6::bytea[], $7::bytea[], $8::text[], $10::bytea[])
        v (log, last, position, number, head, signature, public_key, clock, seal)
)
UPDATE turn SET position = $11, number = $12, received = $9, seal = $13, said = $14
RETURNING pg_notify($15, $16)
"""


def commit(
    database: Database,
    brought: Sequence[Brought],
    *,
    clock: int | None,
    floor: int,
    said: bool,
) -> Turn:
    """Give what was brought its place in the order; to be committed at once.

    Args:
        database: In the transaction that wrote it.
        brought: What was brought, at least one.
        clock: Now, if not by the database's clock.
        floor: A moment that was given out here, and lies before this one.
        said: Whether something was said that no scan shows.
    """
    locks.in_turn(database)
    moment, position, number, received, last, words, stations = database.one(
        _TURN, clock
    )
    received = max(moment, received + 1, floor + 1)
    rows = []
    for number, one in enumerate(brought, number + 1):  # noqa: B020 # it goes on
        position += one.lines
        last = seal(
            last,
            Received(
                station=one.station,
                log=one.log,
                last=one.last,
                head=one.head,
                signature=one.signature,
                public_key=one.public_key,
                clock=one.clock,
                received=received,
            ),
        )
        rows.append((one, position, number, last))
    turn = Turn(position, received, words + said, stations)
    database.do(
        _SEAL,
        [one.log_id for one, *_ in rows],
        [one.last for one, *_ in rows],
        [place for _, place, _, _ in rows],
        [count for _, _, count, _ in rows],
        [one.head for one, *_ in rows],
        [one.signature for one, *_ in rows],
        [one.public_key for one, *_ in rows],
        [one.clock for one, *_ in rows],
        received,
        [sealed for *_, sealed in rows],
        position,
        rows[-1][2],
        last,
        turn.said,
        CHANNEL,
        _notice(turn),
    )
    return turn


_NOTE = """
UPDATE turn SET said = said + $1, stations = stations + 1
RETURNING position, received, said, stations
"""


def note_said(database: Database) -> Turn:
    """Note that a station changed; to be committed at once."""
    return _note(database, 1)


def note_tokens(database: Database) -> Turn:
    """Note that only tokens changed; to be committed at once."""
    return _note(database, 0)


def _note(database: Database, said: int) -> Turn:
    locks.in_turn(database)
    turn = Turn(*database.one(_NOTE, said))
    database.rows("SELECT pg_notify($1, $2)", CHANNEL, _notice(turn))
    return turn


def _notice(turn: Turn) -> str:
    return " ".join(map(str, msgspec.structs.astuple(turn)))


def told(notice: str) -> Turn:
    """Read what another process tells of its turn."""
    return Turn(*map(int, notice.split()))
