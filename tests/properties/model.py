"""Section 5 of the contract, told slowly: the model that the server is held to.

Written from the words of the contract alone, and kept apart from the server's rules:
nothing here is imported from them. Every question starts from the first event again,
and every event looks at the whole world. Nothing is fast; everything can be read.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

__all__ = ["HANDOFF", "Found", "Open", "Scan", "ask_all"]

HANDOFF = 30 * 60 * 1_000_000

# Section 4, column by column.
STATUS = {
    "receive": "received",
    "store": "stored",
    "pick": "picked",
    "accept": "accepted",
    "pack": "packed",
    "unpack": "unpacked",
    "stage": "staged",
    "load": "loaded",
    "depart": "shipped",
    "arrive": "arrived",
    "unload": "unloaded",
    "return": "returned",
}
TAKES = {"pick", "accept"}
RELEASES = {"store", "stage", "load", "depart", "return"}
LEAVES = {"receive", "store", "pick", "unpack", "unload", "return"}
LOOKS = {"see", "count", "accept", "stage"}
ENTERS = {"pack", "load"}
COMES_BACK = {"receive", "arrive", "unload", "return"}
SHOWS_CONTAINER = {"pack", "unpack", "load", "unload"}
NO_EVIDENCE = {"note", "claim", "expect", "resolve", "miss", "void"}


class Scan(NamedTuple):
    """An event. ``occurred`` and ``received`` are any numbers that compare."""

    occurred: int
    log: str
    seq: int
    received: int
    action: str
    item: str | None = None
    location: str | None = None
    container: str | None = None
    operator: str | None = None
    items: tuple[str, ...] = ()
    voids: str | None = None
    status: str | None = None
    exception: str | None = None
    title: str | None = None
    refused: bool = False

    @property
    def name(self) -> str:
        return f"{self.log}:{self.seq}"

    @property
    def does(self) -> str:
        """A refused line counts as a ``see`` of its item, and as nothing else."""
        return "see" if self.refused else self.action

    @property
    def own(self) -> set[str]:
        """The items that the event is about."""
        seen = set(self.items) if self.does == "count" else set()
        return seen | ({self.item} if self.item is not None else set())

    @property
    def around(self) -> set[str]:
        """What the event names as a container."""
        return (
            {self.container}
            if self.container is not None and not self.refused
            else set()
        )


class Piece(NamedTuple):
    """What one event shows of one item; ``far`` counts the containers between."""

    scan: Scan
    far: int
    status: str | None
    location: str | None
    holder: str | None
    """A person, ``"-"`` for nobody, ``None`` where it shows nothing."""
    place: str | None
    """``here``, ``back``, ``gone``, or ``None`` where it shows nothing."""


class Open(NamedTuple):
    """An exception that is open."""

    code: str
    since: int
    event: str


class Found(NamedTuple):
    """The answer."""

    known: bool
    status: str | None
    status_since: int | None
    status_event: str | None
    location: str | None
    location_since: int | None
    location_event: str | None
    custodian: str | None
    custodian_since: int | None
    container: str | None
    path: tuple[str, ...]
    title: str | None
    exceptions: tuple[Open, ...]


class World:
    """Where everything is between two events."""

    def __init__(self) -> None:
        self.container: dict[str, str] = {}
        self.evidence: dict[str, list[Piece]] = {}
        self.named: set[str] = set()
        self.happened: list[Scan] = []
        # of the event that led here
        self.looked_away: dict[str, bool] = {}
        self.put_into_gone: set[str] = set()

    def next(self, scan: Scan) -> "World":
        """Return the world after an event."""
        world = World()
        world.container = dict(self.container)
        world.evidence = {item: list(pieces) for item, pieces in self.evidence.items()}
        world.named = self.named | (
            {*scan.own, *scan.around} if scan.does != "void" else set()
        )
        world.happened = [*self.happened, scan]
        if scan.does not in NO_EVIDENCE:
            # what holds others first: a count of a carton and of what is in it agrees
            for item in sorted(scan.own, key=lambda item: (len(self.path(item)), item)):
                world.see(scan, item)
        return world

    def path(self, item: str) -> tuple[str, ...]:
        """Return what the item is in, nearest first."""
        if item not in self.container:
            return ()
        outer = self.container[item]
        return (outer, *self.path(outer))

    def contents(self, item: str) -> Iterator[tuple[str, int]]:
        """Yield everything in the item, at any depth, with the depth."""
        for other in list(self.container):
            path = self.path(other)
            if item in path:
                yield other, path.index(item) + 1

    def pieces(self, item: str) -> list[Piece]:
        """Return its evidence; of two from one event, the nearest last."""
        return sorted(
            self.evidence.get(item, []),
            key=lambda p: (p.scan.occurred, p.scan.log, p.scan.seq, -p.far),
        )

    def location(self, item: str) -> str | None:
        known = [p.location for p in self.pieces(item) if p.location is not None]
        return known[-1] if known else None

    def status(self, item: str) -> str | None:
        known = [p.status for p in self.pieces(item) if p.status is not None]
        return known[-1] if known else None

    def gone(self, item: str) -> bool:
        places = [p.place for p in self.pieces(item) if p.place is not None]
        return bool(places) and places[-1] == "gone"

    def see(self, scan: Scan, item: str) -> None:
        """Let an event that is evidence happen to one of its items."""
        does, outer = scan.does, self.container.get(item)
        ended = does in LOOKS and outer is not None and self.contradicts(scan, outer)
        looked = does in {"see", "count"}
        if outer is not None and ended and looked:
            self.looked_away[item] = self.gone(outer)
        found = looked and (ended or self.gone(item))
        if ended or does in LEAVES or does in ENTERS:
            self.container.pop(item, None)
        if does in ENTERS and scan.container is not None:
            self.enter(item, scan.container)
        shown = scan.container if scan.container is not None else outer
        if does in SHOWS_CONTAINER and shown is not None:
            self.show(shown, Piece(scan, 1, None, scan.location, None, None))
        status = "found" if found else STATUS.get(does)
        own = Piece(scan, 0, status, scan.location, _holder(scan), _place(does))
        self.show(item, own)
        if does == "empty":
            self.empty(item)

    def empty(self, item: str) -> None:
        """End the stay of everything in it; what is in that stays where it is."""
        for inner in [i for i, outer in self.container.items() if outer == item]:
            del self.container[inner]

    def contradicts(self, scan: Scan, outer: str) -> bool:
        """Say whether a look at something in ``outer`` shows that it is not in it."""
        where = self.location(outer)
        elsewhere = None not in {where, scan.location} and where != scan.location
        return elsewhere or self.gone(outer)

    def enter(self, item: str, container: str) -> None:
        """Begin a stay, but never in itself."""
        if item != container and item not in self.path(container):
            self.container[item] = container
            if self.gone(container):
                self.put_into_gone.add(item)

    def show(self, item: str, piece: Piece) -> None:
        """Add a piece of evidence to an item and to all that is in it."""
        self.evidence.setdefault(item, []).append(piece)
        for inner, depth in list(self.contents(item)):
            self.evidence.setdefault(inner, []).append(
                piece._replace(far=piece.far + depth)
            )


def _holder(scan: Scan) -> str | None:
    """Return who holds it after a scan; nobody known where a badge is missing."""
    if scan.does in TAKES:
        return scan.operator or "-"
    return "-" if scan.does in RELEASES else None


def _place(does: str) -> str:
    if does == "depart":
        return "gone"
    return "back" if does in COMES_BACK else "here"


class Step(NamedTuple):
    """One event with the worlds on both sides of it."""

    before: World
    scan: Scan
    after: World

    def pieces(self, item: str) -> list[Piece]:
        """Return what the event shows of an item."""
        return [p for p in self.after.pieces(item) if p.scan == self.scan]

    def places(self, item: str) -> set[str | None]:
        return {piece.place for piece in self.pieces(item)}

    def own(self, item: str, action: str) -> bool:
        return item in self.scan.own and self.scan.does == action


def _happened(scans: Iterable[Scan], at: int, known_at: int) -> list[Scan]:
    known = {s.name: s for s in scans if s.received <= known_at}
    voided = {s.voids for s in known.values() if s.does == "void"}
    stands = [s for s in known.values() if s.does == "void" or s.name not in voided]
    return sorted(
        (s for s in stands if s.occurred <= at),
        key=lambda s: (s.occurred, s.log, s.seq),
    )


def ask_all(
    scans: Iterable[Scan], items: Iterable[str], at: int, known_at: int
) -> dict[str, Found]:
    """Ask where each item was at ``at``, as far as was known by ``known_at``."""
    steps: list[Step] = []
    world = World()
    for scan in _happened(scans, at, known_at):
        after = world.next(scan)
        steps.append(Step(world, scan, after))
        world = after
    return {item: _found(world, steps, item, at) for item in items}


def _found(world: World, steps: list[Step], item: str, at: int) -> Found:
    pieces = world.pieces(item)
    status = _run([(p.scan, p.status) for p in pieces])
    location = _run([(p.scan, p.location) for p in pieces])
    holder = _run([(p.scan, p.holder) for p in pieces])
    titles = [
        s.title
        for s in world.happened
        if s.does == "note" and s.item == item and s.title is not None
    ]
    return Found(
        known=item in world.named,
        status=status[0],
        status_since=status[1],
        status_event=status[2],
        location=location[0],
        location_since=location[1],
        location_event=location[2],
        custodian=None if holder[0] == "-" else holder[0],
        custodian_since=holder[1],
        container=world.container.get(item),
        path=world.path(item),
        title=titles[-1] if titles else None,
        exceptions=tuple(sorted(_exceptions(steps, item, at))),
    )


def _run(
    shown: list[tuple[Scan, str | None]],
) -> tuple[str | None, int | None, str | None]:
    """Return the latest value, the start of its run, and its latest event."""
    nearest = {scan: value for scan, value in shown if value is not None}
    if not nearest:
        return None, None, None
    latest, value = list(nearest.items())[-1]
    since = latest.occurred
    for scan, other in reversed(nearest.items()):
        if other != value:
            break
        since = scan.occurred
    return value, since, latest.name


def _exceptions(steps: list[Step], item: str, at: int) -> Iterator[Open]:
    for rule in (
        _seen_after_departure,
        _away_from_container,
        _handoff_overdue,
        _claim_contradicted,
        _missed_in_count,
        _missing_from_manifest,
        _loaded_after_departure,
    ):
        found = rule(steps, item, at)
        if found is not None:
            yield found


def _resolved(step: Step, item: str, code: str) -> bool:
    return step.own(item, "resolve") and step.scan.exception == code


def _seen_after_departure(steps: list[Step], item: str, at: int) -> Open | None:
    """Something gone was scanned here, without coming back."""
    code, found = "seen_after_departure", None
    del at
    for step in steps:
        shows = step.pieces(item)
        begins_anew = any(
            p.scan.does in {"receive", "return"} for p in shows if p.place
        )
        if "gone" in step.places(item) or begins_anew or _resolved(step, item, code):
            found = None
        elif step.before.gone(item) and "here" in step.places(item):
            found = Open(code, step.scan.occurred, step.scan.name)
    return found


def _away_from_container(steps: list[Step], item: str, at: int) -> Open | None:
    """A look ended its stay, the container not having gone.

    Who accepts or stages an item has taken charge of it; that is more than a look.
    """
    code, found = "away_from_container", None
    del at
    for step in steps:
        own = [p for p in step.pieces(item) if p.far == 0]
        settles = any(p.status not in {None, "found"} for p in own)
        if settles or _resolved(step, item, code):
            found = None
        if step.after.looked_away.get(item) is False:
            found = Open(code, step.scan.occurred, step.scan.name)
    return found


def _handoff_overdue(steps: list[Step], item: str, at: int) -> Open | None:
    """Picked, and no other change of holder for thirty minutes."""
    code, picked = "handoff_overdue", None
    for step in steps:
        changes = any(piece.holder is not None for piece in step.pieces(item))
        if changes and step.scan.does == "pick":
            again = picked is not None and picked.operator == step.scan.operator
            picked = picked if again else step.scan
        elif changes:
            picked = None
        overdue = picked is not None and step.scan.occurred >= picked.occurred + HANDOFF
        if overdue and _resolved(step, item, code):
            picked = None
    if picked is None or at < picked.occurred + HANDOFF:
        return None
    return Open(code, picked.occurred + HANDOFF, picked.name)


def _claim_contradicted(steps: list[Step], item: str, at: int) -> Open | None:
    """The latest claim says shipped, and the status is not shipped."""
    code, found, claim, contradicts = "claim_contradicted", None, None, False
    del at
    for step in steps:
        claimed = step.own(item, "claim")
        claim = step.scan if claimed else claim
        says_shipped = claim is not None and claim.status == "shipped"
        contradicted = contradicts
        contradicts = says_shipped and step.after.status(item) != "shipped"
        if not contradicts or _resolved(step, item, code):
            found = None
        elif claim is not None and (claimed or not contradicted):
            found = Open(code, step.scan.occurred, claim.name)
    return found


def _missed_in_count(steps: list[Step], item: str, at: int) -> Open | None:
    """In no container, last seen at the counted location, and not in the count."""
    code, found = "missed_in_count", None
    del at
    for step in steps:
        missed = (
            step.scan.does == "count"
            and item not in step.scan.own
            and step.scan.location is not None
            and item not in step.before.container
            and step.before.location(item) == step.scan.location
            and not step.before.gone(item)
        )
        placed = any(p.location is not None for p in step.pieces(item))
        if placed or _resolved(step, item, code):
            found = None
        elif missed and found is None:
            found = Open(code, step.scan.occurred, step.scan.name)
    return found


def _missing_from_manifest(steps: list[Step], item: str, at: int) -> Open | None:
    """The load of its latest ``expect`` has departed without it.

    What counts is the first departure after it was expected, or, where the load had
    gone by then, the one with which it went.
    """
    code, found, awaited = "missing_from_manifest", None, None
    del at
    for index, step in enumerate(steps):
        if step.own(item, "expect"):
            found, awaited = None, step.scan.container
        departs = "gone" in step.places(item)
        if departs or _resolved(step, item, code):
            found = None
        if awaited is not None and step.after.gone(awaited):
            since = steps[: index + 1]
            left = next(s for s in reversed(since) if "gone" in s.places(awaited))
            later = since[since.index(left) :]
            with_it = awaited in left.after.path(item)
            if not with_it and not any("gone" in s.places(item) for s in later):
                found = Open(code, step.scan.occurred, left.scan.name)
            awaited = None
    return found


def _loaded_after_departure(steps: list[Step], item: str, at: int) -> Open | None:
    """Put into something that had already gone, and still in it."""
    code, found, outer = "loaded_after_departure", None, None
    del at
    for step in steps:
        if step.after.container.get(item) != outer or _resolved(step, item, code):
            found = None
        outer = step.after.container.get(item)
        if item in step.after.put_into_gone and found is None:
            found = Open(code, step.scan.occurred, step.scan.name)
    return found
