"""Are answers that are kept those that follow from the lines? It is tried on copies.

Of two copies of a database one makes everything anew that can be made from the lines,
and the other is opened as it is; both must hold the same then.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from server.events import Event, Order
from server.site import Site
from server.store import ItemQuery, Station
from server.store.archived import filling
from server.store.audit import opened
from server.store.said import keep
from server.store.sqlite import SqliteStore
from server.store.understanding import OPAQUE, Understood, read, voids
from server.timing import Basis, When
from server.titles import TABLES
from server.verify import Finding
from shared.api.items import ItemAnswer
from shared.data_folders import ARCHIVE

__all__ = ["differences"]

_COMPARED = {
    "item": "SELECT key, status, location, custodian, container, gone, latest"
    " FROM {0}.item",
    "exception": "SELECT item, code, since, event, text, until, closed_by"
    " FROM {0}.exception",
    "counted": "SELECT location, occurred, position FROM {0}.counted",
    "expected": "SELECT load, item FROM {0}.expected",
    "departed": "SELECT occurred, position, item FROM {0}.departed",
    "voided": "SELECT log, seq, received, by FROM {0}.voided",
    "said": "SELECT topic, key, occurred, log, seq, position FROM {0}.said",
    "line": "SELECT position, quarantined FROM {0}.line",
}
"""What is compared of each table: not what follows from the order of arrival."""

_PAGE = 1000
_HEARD = """
SELECT key, heard FROM {0}.item
UNION ALL SELECT i.key, h.events FROM {0}.heard h LEFT JOIN {0}.item i ON i.id = h.item
"""

_MOST = 20
_LINES = """
SELECT l.position, g.name, l.seq, l.received, l.occurred, l.lo, l.hi, l.basis,
    l.quarantined, l.line, s.id, s.name, s.kind, l.position
FROM line AS l JOIN log AS g ON g.id = l.log JOIN station AS s ON s.id = g.station
ORDER BY l.position
"""


async def differences(path: Path, site: Site, now: Callable[[], int]) -> list[Finding]:
    """Compare what is kept of items and of what was said with what the lines tell.

    Args:
        path: The database; a server may run on it. There has to be room for two copies
            of it where temporary files go.
        site: The site's rules. Where the server ran with others, it makes answers anew
            at its next start, and here.
        now: Tells the present.

    Raises:
        StartError: It cannot be read.
    """
    with TemporaryDirectory() as folder:
        kept, made = Path(folder) / "kept.db", Path(folder) / "made.db"
        for copy in (kept, made):
            await asyncio.to_thread(_copy, path, copy)
        await asyncio.to_thread(_forget, made, site)
        moment = now()
        one, other = [await _answers(copy, site, moment) for copy in (kept, made)]
        found = await asyncio.to_thread(_compared, kept, made)
    return found + [
        Finding(text=f"what is kept of item {key} does not follow from the lines")
        for key in sorted(one.keys() | other.keys())
        if one.get(key) != other.get(key)
    ]


async def _answers(path: Path, site: Site, now: int) -> dict[str, bytes]:
    """Return a hash of the answer about each item, at one moment."""
    store, found = await SqliteStore.open(path, lambda: now, site), dict[str, bytes]()
    try:
        while store.remaking() is not None:  # noqa: ASYNC110 # it tells nobody
            await asyncio.sleep(0.05)
        after: int | None = 0
        while after is not None:
            page = await store.items(ItemQuery(after=after, limit=_PAGE))
            found.update((one.item, _hash(one)) for one in page.answers)
            after = page.after
    except msgspec.MsgspecError as error:
        found["(unreadable)"] = str(error).encode()
    finally:
        await store.close()
    return found


def _hash(answer: ItemAnswer) -> bytes:
    timeless = msgspec.structs.replace(answer, at="", known_at="")
    return sha256(msgspec.json.encode(timeless)).digest()


def _copy(path: Path, to: Path) -> None:
    with opened(path) as source, closing(sqlite3.connect(to)) as target:
        source.backup(target)
    with suppress(FileExistsError):  # what is archived is beside the original
        (to.parent / ARCHIVE).symlink_to(path.absolute().parent / ARCHIVE)


def _forget(path: Path, site: Site) -> None:
    """Take away what can be made from the lines; that of items is made at the start."""
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("DELETE FROM voided")
        database.execute("DELETE FROM said")
        for table in TABLES.values():
            database.execute(
                f"INSERT INTO {table} ({table}) VALUES ('delete-all')"  # noqa: S608 # of constants
            )
        database.execute("DELETE FROM meta WHERE name = 'layout'")
        for row in filling(database, database.cursor().execute(_LINES), 9):
            _say_again(database, row, site)


def _say_again(database: sqlite3.Connection, row: Sequence[Any], site: Site) -> None:
    """Note again what a line takes back, and what it says."""
    position, log, seq, received, *when, quarantined, data, id_, name, kind = row
    line, reason = read(data, seq, actions=site.actions, opaque=quarantined == OPAQUE)
    if line is None or reason is not None:
        return
    occurred, lo, hi, basis = when
    order = Order(occurred, log, seq)
    event = Event(order=order, lo=lo, hi=hi, received=received, line=line)
    if taken_back := voids(line):
        row = (*taken_back, received, event.name)
        database.execute("INSERT OR IGNORE INTO voided VALUES (?, ?, ?, ?)", row)
    placed = When(occurred=occurred, lo=lo, hi=hi, basis=Basis(basis))
    one = Understood(seq=seq, data=data, when=placed, event=event, quarantined=None)
    writer = Station(
        id=id_, name=name, kind=kind, location=None, public_key=b"", revoked=False
    )
    keep(database, writer, [(position, one)])


def _compared(kept: Path, made: Path) -> list[Finding]:
    with closing(sqlite3.connect(kept)) as database:
        database.execute("ATTACH ? AS made", (str(made),))
        found = [
            finding
            for table in _COMPARED
            for finding in (
                *_only_in(database, table, "main", "made", "does not follow from"),
                *_only_in(database, table, "made", "main", "is missing, by"),
            )
        ]
        one, other = (_heard(database, name) for name in ("main", "made"))
    return found + [
        Finding(text=f"which lines speak of item {key} was changed")
        for key in sorted(one.keys() | other.keys())
        if one.get(key) != other.get(key)
    ]


def _heard(database: sqlite3.Connection, name: str) -> dict[str, int]:
    """Return for each item a number that stands for the lines that speak of it."""
    found: dict[str, int] = {}
    for key, data in database.execute(_HEARD.format(name)):
        for one in msgspec.msgpack.decode(data, type=list[int]):
            found[str(key)] = found.get(str(key), 0) ^ hash((key, one))
    return found


def _only_in(
    database: sqlite3.Connection, table: str, one: str, other: str, how: str
) -> Iterator[Finding]:
    rows = _COMPARED[table]
    for row in database.execute(
        f"{rows.format(one)} EXCEPT {rows.format(other)} LIMIT {_MOST}"
    ):
        shown = ", ".join(str(value)[:40] for value in row if value is not None)
        yield Finding(text=f"in {table}, what {how} the lines: {shown}")
