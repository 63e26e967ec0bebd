"""Making anew what is known of items, from the lines, beside what is there.

It goes on in pieces between the batches of stations, and takes the place of what is
there in the transaction that finds nothing more to take in. Lines that could not be
understood are read again, by the actions that the site has now.
"""

import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from hashlib import sha256
from importlib import resources
from typing import Any

import msgspec

from server.events import Event, Order
from server.kept import Unwritten
from server.projections import Arrived, Projection
from server.site import Site
from server.store import Progress
from server.store.archived import filled
from server.store.keeping import STATE
from server.store.reading import last_position
from server.store.shelf import SqlShelf, create
from server.store.understanding import OPAQUE, read
from server.versions import Owned
from shared.lines import Line

__all__ = ["Rebuild", "clear", "following", "layout", "note", "rules"]

WORK = 20_000
"""How many events are told anew for each lot of lines."""

_TABLES = ("item", "heard", "counted", "moved", "expected", "departed", "exception")
_RULES = {
    "server": (
        *("anew", "events", "exceptions", "findings", "fold", "history"),
        *("kept", "known", "projections", "resolve", "steps", "versions"),
    ),
    "shared": ("actions", "lines"),
}

_LINES = """
SELECT l.position, g.name, l.seq, l.occurred, l.lo, l.hi, l.received, l.quarantined,
    l.line,
    (SELECT v.by FROM voided v WHERE v.log = g.name AND v.seq = l.seq
     ORDER BY v.received, v.by LIMIT 1),
    l.position
FROM line AS l CROSS JOIN log AS g ON g.id = l.log
WHERE l.position > ? ORDER BY l.position LIMIT ?
"""


@cache
def _sources() -> bytes:
    """Return the hash of all code from which answers follow."""
    return sha256(
        b"".join(
            resources.files(package).joinpath(f"{name}.py").read_bytes()
            for package, names in _RULES.items()
            for name in names
        )
    ).digest()


def rules(site: Site) -> str:
    """Return a word for the rules and the site's part in them; others give another."""
    own = (
        dict(site.actions),
        site.handoff,
        dict(site.stale),
        {status: sorted(actions) for status, actions in site.follows.items()},
    )
    data = msgspec.json.encode(own, order="deterministic")
    return sha256(_sources() + data).hexdigest()


def layout() -> str:
    """Return a word for how what is known is written; another cannot be read."""
    schema = msgspec.json.schema(STATE.type)
    return sha256(msgspec.json.encode(schema, order="deterministic")).hexdigest()


class Rebuild:
    """Makes anew what is known of items.

    Args:
        connection: The one that writes, in a transaction.
        site: The site's rules.
        many: How many lines are taken in at once.
    """

    def __init__(self, connection: sqlite3.Connection, site: Site, many: int) -> None:
        clear(connection)
        (number,) = connection.execute(
            "INSERT INTO meta (name, value) VALUES ('rebuilds', '1')"
            " ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value"
        ).fetchone()
        self._new = f"_{number}"
        create(connection, self._new)
        self._site, self._many = site, many
        unwritten = Unwritten()
        self._shelf = SqlShelf(connection, unwritten, self._new)
        versions = Owned(self._shelf, unwritten)
        self.projection = Projection(self._shelf, site, versions, work=WORK)
        self.progress = Progress(0, last_position(connection))

    def step(self, connection: sqlite3.Connection) -> bool:
        """Take in the next lines; return whether there were none, and it is in place.

        To be called in a transaction, after the one before it became durable.
        """
        self.projection.commit()
        if not self.projection.settled:
            self.projection.settle(WORK)
            self.projection.commit()
        done = self.progress.done
        arrived, last = following(connection, self._site, done, self._many)
        if self.projection.full or (last == done and self.projection.settled):
            self.projection.write()
            self.projection.commit()  # nobody reads it if this fails
        if last == done and self.projection.settled:
            self._replace(connection)
            return True
        if last == done:
            return False
        self.projection.take(arrived, last)
        self.progress = Progress(last, max(last, last_position(connection)))
        return False

    def _replace(self, connection: sqlite3.Connection) -> None:
        for table in _TABLES:
            connection.execute(f"ALTER TABLE {table} RENAME TO {table}_0")
            connection.execute(f"ALTER TABLE {table}{self._new} RENAME TO {table}")
        connection.execute(
            "UPDATE OR REPLACE meta SET name = 'told' WHERE name = ?",
            (f"told{self._new}",),
        )
        self._shelf.rename("")
        self.projection.unwritten.restart()
        note(connection, self._site)


def following(
    connection: sqlite3.Connection, site: Site, after: int, many: int
) -> tuple[list[Arrived], int]:
    """Read lines behind a position, so many at most; return the last one's, too.

    Those that could not be understood are read again.
    """
    rows = filled(connection, connection.execute(_LINES, (after, many)), 8)
    return list(_arrived(connection, site, rows)), rows[-1][0] if rows else after


def _arrived(
    connection: sqlite3.Connection, site: Site, rows: Iterable[Sequence[Any]]
) -> Iterator[Arrived]:
    for row in rows:
        position, log, seq, occurred, lo, hi, received, reason, data, by = row
        line, now = read(data, seq, actions=site.actions, again=reason is None)
        if reason not in (now, OPAQUE):
            connection.execute(
                "UPDATE line SET quarantined = ? WHERE position = ?",
                (now, position),
            )
            reason = now
        if line is not None and reason is None:
            order = Order(occurred, log, seq)
            event = Event(
                order=order,
                lo=lo,
                hi=hi,
                received=received,
                line=line,
                voided_by=None if _takes_back(line) else by,
            )
            yield Arrived(position, event)


def note(connection: sqlite3.Connection, site: Site | None) -> None:
    """Note by which rules, and how, what is known of items is written.

    ``None``: by none, because something that came late is not told yet.
    """
    connection.executemany(
        "INSERT INTO meta (name, value) VALUES (?, ?)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        [("rules", rules(site) if site else ""), ("layout", layout())],
    )


def _takes_back(line: Line) -> bool:
    return line.action == "void" and line.refused is None


def clear(connection: sqlite3.Connection) -> None:
    """Remove what was left half made, and what was replaced."""
    found = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table'"
    ).fetchall()
    made = re.compile(f"({'|'.join(_TABLES)})_[0-9]+")
    for (name,) in found:
        if made.fullmatch(name):
            connection.execute(f"DROP TABLE {name}")
    connection.execute("DELETE FROM meta WHERE name GLOB 'told_*'")
