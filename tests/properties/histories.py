"""Random histories of a small world, as the model's scans and the server's events."""

import random
from collections.abc import Iterable

from server.answers import Horizon, answer
from server.events import Event, Order
from server.history import tell
from server.site import DEFAULT
from shared.moments import SECOND, to_moment
from tests.properties.lines import line_of
from tests.properties.model import Found, Open, Scan
from tests.telling import Memory

MINUTE = 60 * SECOND
START = 1_777_000_000 * SECOND
ITEMS = ("P", "Q", "C", "D", "M", "N")
LOGS = ("a", "b", "c")
_CONTAINERS = ("C", "D", "M", "N")
_PLACES = ("X", "Y", "Z", None)
_PEOPLE = ("B-1", "B-2", None)
_CODES = (
    "seen_after_departure",
    "away_from_container",
    "handoff_overdue",
    "claim_contradicted",
    "missed_in_count",
    "missing_from_manifest",
    "loaded_after_departure",
    "no_such_thing",
)
_SCANS = (
    *("receive", "store", "pick", "pick", "accept", "unpack", "stage", "depart"),
    *("depart", "arrive", "unload", "return", "see", "see", "empty", "miss"),
)
_WORDS = ("note", "claim", "expect", "resolve", "void", "count")


def random_history(rng: random.Random, length: int) -> list[Scan]:
    """Make a history: inside a log time never goes back, between logs it may tie."""
    clocks = {log: (0, START + rng.randrange(4) * MINUTE) for log in LOGS}
    scans: list[Scan] = []
    for _ in range(length):
        log = rng.choice(LOGS)
        seq, now = clocks[log]
        now += rng.choice((0, 0, 1, 2, 10, 30, 31)) * MINUTE
        clocks[log] = (seq + 1, now)
        received = rng.randrange(length)
        scans.append(_scan(rng, Scan(now, log, seq + 1, received, "")))
    return scans


def _scan(rng: random.Random, scan: Scan) -> Scan:
    kind = rng.random()
    if kind < 0.45:
        action = rng.choice(_SCANS)
        found = scan._replace(action=action, item=rng.choice(ITEMS))
    elif kind < 0.72:
        found = scan._replace(
            action=rng.choice(("pack", "load")),
            item=rng.choice(ITEMS),
            container=rng.choice(_CONTAINERS),
        )
    else:
        found = _word(rng, scan, rng.choice(_WORDS))
    if found.action in {"unpack", "unload"} and rng.random() < 0.3:
        found = found._replace(container=rng.choice(_CONTAINERS))
    return found._replace(
        location=found.location or rng.choice(_PLACES),
        operator=rng.choice(_PEOPLE),
        refused=rng.random() < 0.05,
    )


def _word(rng: random.Random, scan: Scan, action: str) -> Scan:
    item = rng.choice(ITEMS)
    if action == "count":
        seen = rng.sample(ITEMS, rng.randrange(4))
        seen += seen[:1] * rng.randrange(2)
        own = item if rng.random() < 0.1 else None
        place = rng.choice(_PLACES[:3])
        return scan._replace(action=action, item=own, location=place, items=tuple(seen))
    if action == "void":
        log, seq = rng.choice((*LOGS, "elsewhere")), rng.randrange(1, 8)
        return scan._replace(action=action, voids=f"{log}:{seq}")
    said = scan._replace(action=action, item=item)
    if action == "claim":
        return said._replace(status=rng.choice(("shipped", "shipped", "open")))
    if action == "expect":
        return said._replace(container=rng.choice(_CONTAINERS))
    if action == "resolve":
        return said._replace(exception=rng.choice(_CODES))
    return said._replace(title=rng.choice(("Ring", "Ring, gold", None)))


def events(scans: Iterable[Scan], known_at: int) -> list[Event]:
    """Return what the server makes of the scans that it had by then."""
    known = [scan for scan in scans if scan.received <= known_at]
    voids = {s.voids: s.name for s in known if s.action == "void" and not s.refused}
    return [_event(scan, voids) for scan in known]


def _event(scan: Scan, voids: dict[str | None, str]) -> Event:
    no_effect = scan.action == "void" and not scan.refused
    line = line_of(scan, {})
    return Event(
        order=Order(scan.occurred, scan.log, scan.seq),
        lo=scan.occurred,
        hi=scan.occurred,
        received=scan.received,
        line=line,
        voided_by=None if no_effect else voids.get(scan.name),
    )


def served(told: list[Event], item: str, at: int) -> Found:
    """Ask the server's rules, and return their answer as the model gives its own."""
    telling = tell(Memory(told, at), item)
    found = answer(telling, item, at=at, known_at=at, horizon=Horizon(), site=DEFAULT)
    return Found(
        known=found.known,
        status=found.status,
        status_since=_moment(found.status_since),
        status_event=found.status_event,
        location=found.location,
        location_since=_moment(found.location_since),
        location_event=found.location_event,
        custodian=found.custodian,
        custodian_since=_moment(found.custodian_since),
        container=found.container,
        path=tuple(found.path),
        title=found.title,
        exceptions=tuple(
            sorted(Open(e.code, to_moment(e.since), e.event) for e in found.exceptions)
        ),
    )


def _moment(text: str | None) -> int | None:
    return None if text is None else to_moment(text)
