"""The turn to commit: the server's own order, given to what is committed in it.

Whoever has the turn gives positions, a moment and seals, and commits; only then comes
the next. So what is seen first stands first, whatever process looks at it: a reader who
has read up to a position has read everything before it, for ever.
"""

from collections.abc import Sequence

import msgspec

from server.anew import Late
from server.seals import Received, seal
from server.store.postgres import locks
from server.store.postgres.database import Database

__all__ = [
    "CHANNEL",
    "CLOCK",
    "STATE",
    "Begun",
    "Brought",
    "Turn",
    "begin",
    "commit",
    "look",
    "note_said",
]
__all__ += ["note_tokens", "now", "number", "settle", "settle_all", "told"]

CHANNEL = "scantrail"
"""Where every process hears of what was committed: the numbers of a `Turn`."""

CLOCK = "coalesce($1, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint)"
"""An expression: now, by the clock of the database, which all processes share.

Its parameter is another clock's, for tests.
"""


STATE = "position, received, said, stations, late, told"
"""The columns of the fields of a `Turn`."""

_NUMBER = "pg_current_xact_id()::text::bigint"


class Turn(msgspec.Struct, frozen=True):
    """Up to where everything is committed.

    ``said`` grows whenever something was said or a station changed, ``stations``
    whenever a station or one of its tokens did. ``late`` is the number of the last note
    of what came late, ``told`` of the last one that is told anew.
    """

    position: int
    received: int
    said: int
    stations: int
    late: int
    told: int

    @property
    def settled(self) -> bool:
        """Whether all that came late is told anew."""
        return self.told >= self.late


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


_TURN = f"SELECT {CLOCK}, number, seal, {STATE} FROM turn"  # noqa: S608 # of constants
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
UPDATE turn SET position = $11, number = $12, received = $9, seal = $13, said = $14,
    late = $15
RETURNING pg_notify($16, $17)
"""


def commit(
    database: Database,
    brought: Sequence[Brought],
    *,
    clock: int | None,
    floor: int,
    said: bool,
    late: Late,
) -> Turn:
    """Give what was brought its place in the order; to be committed at once.

    Args:
        database: In the transaction that wrote it.
        brought: What was brought, at least one.
        clock: Now, if not by the database's clock.
        floor: A moment that was given out here, and lies before this one.
        said: Whether something was said that no scan shows.
        late: What it makes stale.
    """
    locks.in_turn(database)
    moment, number, last, *state = database.one(_TURN, clock)
    before = Turn(*state)
    position, received = before.position, max(moment, before.received + 1, floor + 1)
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
    turn = msgspec.structs.replace(
        before,
        position=position,
        received=received,
        said=before.said + said,
        late=_note_late(database, before, late),
    )
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
        turn.late,
        CHANNEL,
        _notice(turn),
    )
    return turn


_NOTE = f"""
UPDATE turn SET said = said + $1, stations = stations + 1
RETURNING {STATE}
"""  # noqa: S608 # of constants


def note_said(database: Database) -> Turn:
    """Note that a station changed; to be committed at once."""
    return _note(database, 1)


def note_tokens(database: Database) -> Turn:
    """Note that only tokens changed; to be committed at once."""
    return _note(database, 0)


def _note(database: Database, said: int) -> Turn:
    locks.in_turn(database)
    turn = Turn(*database.one(_NOTE, said))
    _tell(database, turn)
    return turn


def look(database: Database) -> Turn:
    """Return up to where everything is committed, as far as a transaction sees."""
    return Turn(*database.one(f"SELECT {STATE} FROM turn"))  # noqa: S608 # of constants


def settle(database: Database, before: Turn, again: Late) -> Turn | None:
    """Note that what came late is told anew; to be committed at once.

    Args:
        database: In the last transaction that wrote of it.
        before: What was noted when it was read.
        again: What has to be told once more.

    ``None``: that is noted already, or everything was made anew meanwhile.
    """
    locks.in_turn(database)
    now = look(database)
    if now.told != before.told:
        return None
    noted = _note_late(database, now, again)
    database.do("DELETE FROM late WHERE number <= $1", before.late)
    database.do("UPDATE turn SET late = $1, told = $2", noted, before.late)
    turn = msgspec.structs.replace(now, late=noted, told=before.late)
    _tell(database, turn)
    return turn


def settle_all(database: Database) -> None:
    """Note that nothing is late: everything was made anew. To be run alone."""
    database.do("DELETE FROM late")
    database.do("UPDATE turn SET told = late")


def _note_late(database: Database, before: Turn, late: Late) -> int:
    if not late.keys:
        return before.late
    database.do(
        "INSERT INTO late (number, since, items) VALUES ($1, $2, $3)",
        *(before.late + 1, late.since, sorted(late.keys)),
    )
    return before.late + 1


def _tell(database: Database, turn: Turn) -> None:
    database.rows("SELECT pg_notify($1, $2)", CHANNEL, _notice(turn))


def _notice(turn: Turn) -> str:
    return " ".join(map(str, msgspec.structs.astuple(turn)))


def told(notice: str) -> Turn:
    """Read what another process tells of its turn."""
    return Turn(*map(int, notice.split()))
