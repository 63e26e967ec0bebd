"""Making anew what is known of items, from the lines, beside what is there.

One process does it, while all go on with what is there; the last piece waits until it
is alone, and takes its place. From then on only processes by the new rules write.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from server.events import Event, Order
from server.kept import Unwritten
from server.projections import Arrived
from server.site import Site
from server.store import Progress
from server.store.postgres import locks, turn
from server.store.postgres.archived import AT, filled
from server.store.postgres.database import Database, Row
from server.store.postgres.holding import Nobody
from server.store.postgres.reading import DELIVERED, place
from server.store.postgres.shelf import PgShelf, create, take_in
from server.store.rebuild import layout, rules
from server.store.understanding import OPAQUE, read, voids
from shared.moments import SECOND

__all__ = ["FORMER", "TABLES", "Rebuild", "SupersededError", "arrived", "begin"]
__all__ += ["clear", "following", "note"]

ABANDONED = 60 * SECOND
"""How long a process may take for a piece, before another one begins anew."""

FORMER = "former"
"""Where the rules are noted that were replaced by others, the latest last."""
MOST_FORMER = 20

_NOTED = f"""
SELECT name, value FROM meta WHERE name IN ('rules', 'layout', 'remaking', '{FORMER}')
"""  # noqa: S608 # of constants
TABLES = (
    *("item", "listed", "heard", "counted", "moved", "expected", "departed"),
    "exception",
)

_LINES = f"""
SELECT d.position - (d.last - l.seq), l.log, g.name, l.seq, l.occurred, l.lo, l.hi,
    d.received, l.quarantined, l.line,
    (SELECT b.name || ':' || v.by_seq FROM voided v JOIN log b ON b.id = v.by_log
     WHERE v.log = g.name AND v.seq = l.seq ORDER BY v.by_log, v.by_seq LIMIT 1),
    {AT}
FROM {DELIVERED} l
JOIN log g ON g.id = l.log
ORDER BY d.position, l.seq LIMIT $2
"""  # noqa: S608 # of constants


class SupersededError(Exception):
    """Another process makes everything anew by now."""


class Rebuild:
    """Makes anew what is known of items.

    Args:
        number: What its tables are marked with; from `begin`.
        site: The site's rules.
        many: How many lines are taken in at once.
    """

    def __init__(self, number: int, site: Site, many: int) -> None:
        self._number, self._new = number, f"_{number}"
        self._site, self._many = site, many
        self.progress = Progress(0, 0)

    def step(self, database: Database) -> Progress | None:
        """Take in the lines behind ``progress``; return up to where, once committed.

        To be run in a transaction. ``None``: there were none, and it is in place.

        Raises:
            SupersededError: Another process has begun anew.
        """
        _go_on(database, self._number)
        rows = following(database, self.progress.done, self._many)
        if not rows:
            locks.alone(database)
            rows = following(database, self.progress.done, self._many)
        if not rows:
            self._replace(database)
            return None
        unwritten = Unwritten()
        version = turn.number(database)
        guard = Nobody(database, self._new)
        shelf = PgShelf(database, guard, unwritten, version, self._new)
        mend = partial(_mend, database)
        take_in(shelf, self._site, unwritten, list(arrived(rows, self._site, mend)))
        (last,) = database.one("SELECT position FROM turn")
        return Progress(rows[-1][0], last)

    def _replace(self, database: Database) -> None:
        for table in TABLES:
            database.do(f"DROP TABLE {table}")
            database.do(f"ALTER TABLE {table}{self._new} RENAME TO {table}")
        turn.settle_all(database)
        note(database, self._site)
        _mark(database, self._number, 0)  # whoever has other rules need not wait


def following(database: Database, after: int, many: int) -> list[Row]:
    """Read lines behind a position, so many at most; the first column is theirs."""
    return filled(database, database.rows(_LINES, after, many), 9)


def arrived(
    rows: Iterable[Row], site: Site, misread: Callable[[int, int, str | None], None]
) -> Iterator[Arrived]:
    """Return the events of lines, which are all read again.

    Args:
        rows: From `following`.
        site: The site's rules.
        misread: Told of each line that is understood otherwise than was noted: its
            log, its seq, and why it is quarantined now, if it is.
    """
    for row in rows:
        _, log, name, seq, occurred, lo, hi, received, reason, data, by = row
        line, by_now = read(data, seq, actions=site.actions)
        if reason not in (by_now, OPAQUE):
            misread(log, seq, by_now)
            reason = by_now
        if line is not None and reason is None:
            event = Event(
                order=Order(occurred, name, seq),
                lo=lo,
                hi=hi,
                received=received,
                line=line,
                voided_by=None if voids(line) else by,
            )
            yield Arrived(place(log, seq), event)


def _mend(database: Database, log: int, seq: int, reason: str | None) -> None:
    database.do(
        "UPDATE line SET quarantined = $3 WHERE log = $1 AND seq = $2",
        *(log, seq, reason),
    )


def begin(database: Database, site: Site) -> int | None:
    """Make tables to make everything anew in, and return what they are marked with.

    ``None``: it is done already. 0: another process is at it.
    """
    locks.alone(database)
    noted = {name: value for name, value in database.rows(_NOTED)}  # noqa: C416 # rows are no pairs
    if (noted["rules"], noted["layout"]) == (rules(site), layout()):
        return None
    moment = turn.now(database, None)
    number, latest = map(int, noted.get("remaking", "0 0").split())
    if latest > moment - ABANDONED:
        return 0
    clear(database)
    _mark(database, number + 1, moment)
    create(database, f"_{number + 1}")
    return number + 1


def _go_on(database: Database, number: int) -> None:
    """Say that this process is at it, unless another one is by now."""
    row = database.row("SELECT value FROM meta WHERE name = 'remaking' FOR UPDATE")
    if row is None or int(row[0].split()[0]) != number:
        raise SupersededError
    _mark(database, number, turn.now(database, None))


def _mark(database: Database, number: int, moment: int) -> None:
    database.do(
        "INSERT INTO meta (name, value) VALUES ('remaking', $1)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        f"{number} {moment}",
    )


def note(database: Database, site: Site) -> None:
    """Note by which rules, and how, what is known of items is written.

    Those that these replace are noted as former ones.
    """
    noted = {name: value for name, value in database.rows(_NOTED)}  # noqa: C416 # rows are no pairs
    known = [*noted.get(FORMER, "").split(), noted.get("rules", "")]
    former = [one for one in known if one and one != rules(site)]
    database.many(
        "INSERT INTO meta (name, value) VALUES ($1, $2)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        [
            ("rules", rules(site)),
            ("layout", layout()),
            (FORMER, " ".join(former[-MOST_FORMER:])),
        ],
    )


def clear(database: Database) -> None:
    """Remove what was left half made."""
    names = database.rows(
        "SELECT c.relname::text FROM pg_class c"  # noqa: S608 # of constants
        " WHERE c.relnamespace = current_schema()::regnamespace"
        " AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
        f" AND c.relname ~ '^({'|'.join(TABLES)})_[0-9]+$'"
    )
    for (name,) in names:
        database.do(f"DROP TABLE {name}")
