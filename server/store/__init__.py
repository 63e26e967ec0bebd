"""Where events are kept. One interface; a backend for each database."""

import re
from collections.abc import Collection, Mapping, Sequence
from enum import Enum
from typing import NamedTuple, Protocol

import msgspec

from server.answers import Horizon, Stored
from server.delivery import Delivery
from server.events import Event
from server.history import Telling
from server.manifest import Manifest
from server.station_exceptions import Seen
from shared.api.items import ItemAnswer
from shared.hosts import HostLine, Topic
from shared.protocol import LogState

__all__ = [
    "OWN",
    "Answers",
    "Code",
    "Departed",
    "DepartureQuery",
    "Departures",
    "Displaced",
    "Entry",
    "ExceptionQuery",
    "Found",
    "History",
    "Identity",
    "Invitation",
    "ItemQuery",
    "Joining",
    "Load",
    "Receipt",
    "Said",
    "Stand",
    "Station",
    "Store",
    "Token",
    "ToldQuery",
    "View",
    "is_own",
    "own_name",
]

OWN = "(server)"
"""The host whose log is the server's own; nobody else can join by that name."""

_OWN = re.compile(r"\(server(?: [0-9]+)?\)")


def own_name(number: int) -> str:
    """Return the name for the own log of one of several processes, from 1 on."""
    return OWN if number == 1 else f"(server {number})"


def is_own(name: str) -> bool:
    """Whether a log of this host is the server's own."""
    return _OWN.fullmatch(name) is not None


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Which server this is, and which of its lives: a restore begins a new epoch."""

    server: str
    epoch: str


class Token(Enum):
    """What a token of a station is to the server."""

    PRESENT = "present"
    NEXT = "next"
    """The station offered it, and has not used it yet; both it and PRESENT hold."""
    REPLACED = "replaced"
    """Its successor was used; whoever still shows it is another machine."""
    DISPLACED = "displaced"
    """Another machine joined under the station's name since, and took its place."""


class Displaced(msgspec.Struct, frozen=True, kw_only=True):
    """The machine that lost its place: its name, and how far its last log was known."""

    host: str
    log: str = ""
    acked: int = 0


class Station(msgspec.Struct, frozen=True, kw_only=True):
    """A station that has joined. ``public_key`` is its raw Ed25519 key.

    ``token`` is what the token that it showed is, ``token_since`` since when.
    ``displaced`` is the machine whose place it took by joining or, for a token of that
    machine, that machine.
    """

    id: int
    name: str
    kind: str
    location: str | None
    public_key: bytes
    revoked: bool
    token: Token = Token.PRESENT
    token_since: int = 0
    displaced: Displaced | None = None


class Code(msgspec.Struct, frozen=True, kw_only=True):
    """A one-time code that was made: for which name, by whom, and what became of it.

    ``used`` is when a station joined by it; ``replaces``: also in place of another.
    """

    station: str
    kind: str
    location: str | None
    replaces: bool
    by: str
    made: int
    expires: int
    used: int | None


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """A one-time code, and what the station becomes that joins by it."""

    name: str
    location: str | None
    kind: str
    code_hash: bytes
    expires: int
    replaces: bool = False
    by: str = ""


class Joining(msgspec.Struct, frozen=True, kw_only=True):
    """What a station shows and brings when it joins."""

    code_hash: bytes
    log: str
    token_hash: bytes
    public_key: bytes
    version: str
    host: str
    have: int | None = None


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a delivery: durable up to ``acked``, whose head is ``head``."""

    acked: int
    head: bytes
    appended: int
    already: int
    quarantined: list[int]
    backed_up: int
    received: int


class View(msgspec.Struct, frozen=True, kw_only=True):
    """The moment asked for, and the moment as of which; microseconds since 1970."""

    at: int
    known_at: int


class History(msgspec.Struct, frozen=True):
    """An item's events with what they are kept as, and what they came by."""

    events: list[tuple[Event, str | None]]
    stored: dict[str, Stored]


class ItemQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which items a reader asks for; ``after`` is from `Answers`.

    ``q`` is a part of the key. ``present`` leaves out what is gone.
    """

    status: str | None = None
    location: str | None = None
    container: str | None = None
    custodian: str | None = None
    q: str | None = None
    present: bool = False
    after: int = 0
    limit: int = 100


class ExceptionQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which exceptions of items a reader asks for, newest first.

    ``open``: those that are open, those that are not, or ``None`` for both. ``after``
    is what `Found.place` was of the last that he has had.
    """

    code: str | None = None
    open: bool | None = True
    after: tuple[int, str, str] | None = None
    limit: int = 100


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """An item's exception: since when, until when if it is over, and by which event."""

    item: str
    code: str
    since: int
    until: int | None
    event: str
    text: str

    @property
    def place(self) -> tuple[int, str, str]:
        """Where it stands among all: the later comes first."""
        return self.since, self.item, self.code


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A line in the server's own order, the quarantined ones included.

    ``position`` grows from line to line, not always by one. ``quarantined`` says why
    it was not understood.
    """

    position: int
    event: str
    station: str
    occurred: int
    lo: int
    hi: int
    received: int
    quarantined: str | None
    line: bytes


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What holds of a key: the line that says it, and when it was said."""

    key: str
    line: HostLine
    occurred: int
    event: str


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """A load that has not left: what should be on it, and what is, however deep.

    ``told`` is when somebody last said something of it.
    """

    load: str
    name: str
    told: int
    expected: list[str]
    on_board: list[str]


class DepartureQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which departures of loads a reader asks for, newest first.

    Those from ``since`` up to ``until``, both inclusive, that were known by
    ``known_at`` and not taken back by then. ``q`` is a part of the load's key, in
    capitals. ``after`` is from `Departures`.
    """

    since: int = 0
    until: int
    known_at: int
    q: str | None = None
    after: tuple[int, int] | None = None
    limit: int = 50


class Departed(msgspec.Struct, frozen=True, kw_only=True):
    """A scan by which a load left; ``place`` is where it stands among all."""

    load: str
    scan: Entry
    place: tuple[int, int]


class Departures(msgspec.Struct, frozen=True, kw_only=True):
    """Departures of loads; ``after`` leads on, ``None`` at the end.

    It may lead on behind an empty page: only so many departures are looked through at
    once, and most may be of single items.
    """

    found: list[Departed]
    after: tuple[int, int] | None


class Answers(msgspec.Struct, frozen=True):
    """Present answers; ``after`` leads to what follows, ``None`` at the end."""

    answers: list[ItemAnswer]
    after: int | None
    horizon: Horizon


class Stand(NamedTuple):
    """An item that is here: at which place, since when, and when it was told last."""

    id: int
    key: str
    place: str
    since: int
    latest: int


class ToldQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which items are asked for: those that were told of anything since a moment.

    ``every``: one of so many, evenly. ``after`` is the number of the last one had.
    """

    since: int
    every: int = 1
    after: int = 0
    limit: int = 500


class Progress(msgspec.Struct, frozen=True):
    """Up to which position everything was taken in, and the last that there is."""

    done: int
    last: int


class Store(Protocol):
    """What the server needs of a database.

    Every method that changes something returns once that is durable. What cannot be
    done for a reason that the one who asked should know raises ProblemError.
    """

    identity: Identity

    def present(self) -> int:
        """Return now, and never a moment before what was received last."""

    async def invite(self, asked: Invitation) -> None:
        """Let a station of this name join once with a code, until it expires.

        A name that is in use is refused, unless the code is made for replacing.
        """

    async def codes(self, limit: int) -> list[Code]:
        """Return the one-time codes that were made, the newest first."""

    async def enrol(self, asked: Joining) -> Station:
        """Take a station in by its code, which works once.

        Where its log is another station's, the refusal tells the head at line ``have``.
        """

    async def revoke(self, name: str) -> bool:
        """Let a station do nothing more; return whether there is one."""

    async def station(self, token_hash: bytes) -> Station | None:
        """Return the station whose token this is, or was."""

    async def offer_token(self, station: Station, token_hash: bytes) -> None:
        """Let a station use this token from when it likes on."""

    async def use_token(self, station: Station, token_hash: bytes) -> None:
        """Let the one that was offered replace the present one: it was used."""

    async def note_copied(self, station: Station, address: str) -> None:
        """Remember that a token that was replaced was shown, and whence."""

    async def note_displaced(self, station: Station, address: str) -> None:
        """Remember that a machine that lost its place came, and whence."""

    async def stations(self) -> list[Seen]:
        """Return what is kept of all stations, by name."""

    async def missing(self) -> list[str]:
        """Say what keeps archived lines from being read, of each file, and what to do.

        Whether a file is as it was written shows only when it is read.
        """

    async def log(self, name: str) -> LogState | None:
        """Return how far a log is known."""

    async def append(self, station: Station, delivery: Delivery) -> Receipt:
        """Append what is new of a delivery; contract, section 3."""

    async def tell(self, item: str, view: View) -> Telling:
        """Gather what bears on an item."""

    async def tell_together(
        self, items: Collection[str], view: View
    ) -> dict[str, Telling]:
        """Gather what bears on each of several items, in one go."""

    async def bearing(self, item: str, view: View) -> list[Event]:
        """Return all events that bear on an item in a view or an earlier one.

        Voids of them too, for `server.changes`.
        """

    async def history(self, item: str, view: View) -> History:
        """Return an item's history, its containers' included."""

    async def item(self, key: str) -> ItemAnswer:
        """Say where one item is now."""

    async def items(self, query: ItemQuery) -> Answers:
        """Say of items, by their present answer, where each is now."""

    async def standing(self, after: int, limit: int) -> list[Stand]:
        """Return what is here at a known place now, by order of appearance."""

    async def visitors(self, location: str, most: int) -> list[str]:
        """Return what was at a location lately: what came last, and what went last.

        So many of each, at most.
        """

    async def told(self, query: ToldQuery) -> list[tuple[int, str]]:
        """Return items that were told of anything since a moment, with their numbers.

        An item of which every event since then was taken back is not among them.
        """

    async def count_told(self, since: int) -> int:
        """Count the items that were told of anything since a moment."""

    async def exceptions(self, query: ExceptionQuery) -> list[Found]:
        """Return exceptions of items as of now, newest first."""

    async def events(self, after: int, limit: int) -> list[Entry]:
        """Return the lines behind a position, in the server's own order."""

    def position(self) -> int:
        """Return the position of the line that came last; 0 where there is none."""

    async def event(self, name: str) -> Entry | None:
        """Return the line that is an event of this name, a quarantined one too."""

    async def grown(self, after: int) -> None:
        """Return once there are lines behind a position."""

    async def horizon(self, view: View) -> Horizon:
        """Return up to when all active stations have told everything."""

    async def mark_backed_up(self, acked: Mapping[str, tuple[int, str]]) -> None:
        """Note up to which line of which head each log is in a checked backup."""

    async def hook_position(self, name: str) -> int:
        """Return up to where a webhook was taken; a new one begins at the end."""

    async def keep_hook_position(self, name: str, position: int) -> None:
        """Note that a webhook was taken up to a position."""

    def said_changes(self) -> int:
        """Return a number that grows whenever `said` or a station may have changed."""

    async def said(self, topic: Topic, keys: Collection[str] | None) -> list[Said]:
        """Return what holds of a topic: of these keys, or of all, by key."""

    async def titled(self, words: Sequence[str], most: int) -> list[str]:
        """Return items by words of their title, what was named last first.

        Each has all the words (see `server.titles`), each at the beginning of one of
        its own; a single letter or digit is one of its own.
        """

    async def remarked(self, words: Sequence[str], most: int) -> list[Said]:
        """Return remarks that have all the words, as `titled`: one of each item.

        What was taken back is no remark; the newest come first.
        """

    async def statuses(self, keys: Collection[str]) -> dict[str, str]:
        """Return the present statuses of those of the items that have one."""

    async def loads(self, most: int, items: int) -> list[Load]:
        """Return the loads that have not left, those told of last first."""

    async def manifest(
        self, load: str, view: View, departure: str | None = None
    ) -> Manifest:
        """Compare what is on a load with what should be, or was when it left.

        ``departure`` is the event of one of its departures, to look at that one.
        """

    async def departures(self, query: DepartureQuery) -> Departures:
        """Return by which scans loads left, newest first."""

    async def gone(self, since: int, most: int) -> list[str]:
        """Return what left and was not scanned since, newest first."""

    async def held(self, most: int) -> dict[str, list[str]]:
        """Return what containers hold that have not left, the one told of last first.

        At most so many items; a container is told of as a whole or not.
        """

    def remaking(self) -> Progress | None:
        """Return how far answers are made anew by changed rules; ``None``: they are."""

    def late(self) -> int:
        """Return how many notes of what came late are not told anew, or 1 for some."""

    async def ready(self) -> None:
        """Return if the database takes writes; raise what is wrong otherwise."""

    async def close(self) -> None:
        """Finish what is waiting, and close the database."""
