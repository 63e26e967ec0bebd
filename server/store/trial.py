"""Trying another table of actions on a server's database, without changing anything."""

from collections.abc import Iterator
from pathlib import Path

from server.events import Event, Order
from server.history import Reader
from server.kept import Unwritten
from server.site import Site
from server.store import View
from server.store.archived import filling
from server.store.reading import SqlReader
from server.store.whereabouts import connected
from server.trial import Difference, Together, differences
from shared.actions import lacks
from shared.errors import LineError
from shared.lines import decode

__all__ = ["Trial"]

_QUARANTINED = """
SELECT g.name, l.seq, l.occurred, l.lo, l.hi, l.received, l.line, l.position
FROM line AS l JOIN log AS g ON g.id = l.log WHERE l.quarantined IS NOT NULL
ORDER BY l.position
"""


class Trial:
    """A server's database, opened to read. Close it after use.

    Raises:
        StartError: It cannot be opened.
    """

    def __init__(self, path: Path, now: int) -> None:
        self._now = now
        self._connection = connected(path, "ro")

    def close(self) -> None:
        """Close the database."""
        self._connection.close()

    def items(self) -> int:
        """Return how many items there are."""
        (count,) = self._connection.execute("SELECT count(*) FROM item").fetchone()
        return int(count)

    def read_again(self, site: Site) -> list[Event]:
        """Return the events of lines that a site's table makes understood."""
        found = []
        rows = self._connection.execute(_QUARANTINED)
        for log, seq, occurred, lo, hi, received, data in filling(
            self._connection, rows, 6
        ):
            try:
                line = decode(data)
            except LineError:
                continue
            if line.seq == seq and lacks(line, site.actions) is None:
                order = Order(occurred, log, seq)
                found.append(
                    Event(order=order, lo=lo, hi=hi, received=received, line=line)
                )
        return found

    def differences(self, old: Site, new: Site) -> Iterator[Difference]:
        """Return the items whose present answers would be others."""
        view = View(at=self._now, known_at=self._now)
        reader: Reader = SqlReader(self._connection, view, Unwritten())
        more = self.read_again(new)
        keys = {item for event in more for item in event.subjects()}
        keys |= {key for (key,) in self._connection.execute("SELECT key FROM item")}
        return differences(
            sorted(keys),
            (reader, old),
            (Together(reader, more, new), new),
            self._now,
        )
