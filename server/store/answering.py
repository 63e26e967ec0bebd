"""Answers from what was read of a database, whichever it is. Pure."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from server.answers import Heading, Horizon, kept_answer
from server.events import event_name
from server.exceptions import Case
from server.known import Known, Notes
from server.resolve import World, alone, resolve
from server.site import Site
from server.station_exceptions import Incident, Seen
from server.store import Departed, Departures, Displaced, Load, Said, View
from shared.api.items import ItemAnswer
from shared.health import StationHealth
from shared.hosts import host_line
from shared.moments import SECOND

__all__ = [
    "BEHIND",
    "DEPARTED_LOOKED",
    "LOAD_PREFIXES",
    "NEWEST",
    "TITLES_LOOKED",
    "State",
    "answers",
    "grouped",
    "horizon",
    "loads",
    "once",
    "ordered",
    "seen",
    "went_on",
    "whence",
]

State = tuple[Known, Case, bool]
"""What is known of an item, what is wrong with it, and whether it was taken out."""

BEHIND = 60 * SECOND
"""How long a station may be silent before it counts as behind, in microseconds."""

LOAD_PREFIXES = ("M-", "(402)", "(401)")
"""What the key of a load begins with: contract, section 6."""

DEPARTED_LOOKED = 50_000
"""Departures that are looked through at once, those of single items included."""

TITLES_LOOKED = 500
"""Titles that are looked through at once, those that do not hold any more included."""

NEWEST = (2**63 - 1, 2**63 - 1)
"""Before the newest departure of all."""


def answers(
    states: Iterable[tuple[str, State]],
    load: Callable[[Collection[str]], Mapping[str, State]],
    at: int,
    head: Heading,
    site: Site,
) -> list[ItemAnswer]:
    """Say where items are, each by what is kept of it and of what it is in.

    Args:
        states: What is kept of those that are asked for, each with its key.
        load: Returns what is kept of others.
        at: The present.
        head: What stands above every answer.
        site: The site's rules.
    """
    found: dict[str, ItemAnswer | None] = {}
    inside: dict[str, State] = {}
    for key, state in states:
        known, case, _ = state
        if known.container is None:
            found[key] = kept_answer(key, known, alone(known), case, at, head)
        else:
            found[key], inside[key] = None, state
    if inside:
        world = _world(inside, load, site)
        for key, (known, case, _) in inside.items():
            where = resolve(world, key)
            found[key] = kept_answer(key, known, where, case, at, head)
    return [answer for answer in found.values() if answer is not None]


def _world(
    states: Mapping[str, State],
    load: Callable[[Collection[str]], Mapping[str, State]],
    site: Site,
) -> World:
    """Return what is known of items, and of all that they are in."""
    book = Notes()
    todo = states
    while todo:
        for key, (known, _, _) in todo.items():
            book.keep(key, known)
        around = {known.container for known, _, _ in todo.values()} - {None}
        todo = load([key for key in around if key and not book.has(key)])
    return World(site.actions, book=book)


def horizon(told: Sequence[tuple[str, int | None]], view: View) -> Horizon:
    """Return up to when all have told everything: each station, and its horizon."""
    until = [moment for _, moment in told]
    asked = min(view.at, view.known_at)
    return Horizon(
        complete_until=None
        if not until or None in until
        else min(moment for moment in until if moment is not None),
        behind=tuple(
            (name, moment)
            for name, moment in told
            if moment is None or moment < asked - BEHIND
        ),
    )


def seen(kept: Mapping[str, Any], incidents: Iterable[Incident]) -> Seen:
    """Put together what is kept of a station: its fields, its health as written."""
    health = kept["health"]
    fields = {
        **kept,
        "acked": kept["acked"] or 0,
        "health": None if health is None else _health(health),
        "quarantined": kept["quarantined"] or 0,
        "incidents": tuple(incidents),
    }
    return Seen(**fields)


def _health(data: bytes) -> StationHealth | None:
    try:
        return msgspec.json.decode(data, type=StationHealth)
    except ValueError:  # written by another version
        return None


def ordered(told: Iterable[Said], left: Collection[str], most: int) -> list[Said]:
    """Return the loads that have not left, those told of last first."""
    there = (said for said in told if said.key not in left)
    return sorted(there, key=lambda said: (-said.occurred, said.key))[:most]


def loads(
    wanted: Sequence[Said],
    names: Iterable[Said],
    expected: Iterable[Said],
    on_board: Iterable[tuple[str, str]],
    items: int,
) -> list[Load]:
    """Put together what is said of loads, and what is on them.

    Args:
        wanted: The loads, in their order.
        names: What they are called.
        expected: What was last expected on any load.
        on_board: A load and an item in it, however deep.
        items: How many items on one load, at most.
    """
    called = {said.key: said.line.title for said in names}
    due: dict[str, list[str]] = {said.key: [] for said in wanted}
    for said in expected:
        if said.line.container in due:
            due[said.line.container].append(said.key)
    aboard: dict[str, list[str]] = {said.key: [] for said in wanted}
    for load, key in on_board:
        aboard[load].append(key)
    return [
        Load(
            load=said.key,
            name=called.get(said.key) or "",
            told=said.occurred,
            expected=due[said.key][:items],
            on_board=aboard[said.key][:items],
        )
        for said in wanted
    ]


def went_on(
    found: list[Departed], limit: int, looked: tuple[int, int] | None
) -> Departures:
    """Say where departures go on behind those that were found.

    Args:
        found: Those that fit.
        limit: How many were asked for.
        looked: The last that was looked at, ``None`` where that was the last of all.
    """
    full = bool(found) and len(found) >= limit
    return Departures(found=found, after=found[-1].place if full else looked)


def grouped(rows: Sequence[Sequence[str]], most: int) -> dict[str, list[str]]:
    """Return what containers hold, by rows of container and item.

    Where there are more than ``most`` the last container is left out: it may not be
    whole.
    """
    found: dict[str, list[str]] = {}
    for container, item in rows:
        found.setdefault(container, []).append(item)
    if len(rows) > most:
        found.popitem()
    return found


def once(rows: Iterable[Sequence[Any]]) -> Iterator[Said]:
    """Return the first that was said of each key: key, line, occurred, log, seq."""
    met: set[str] = set()
    for key, data, occurred, log, seq in rows:
        line = host_line(data)
        if line is not None and key not in met:
            met.add(key)
            event = event_name(log, seq)
            yield Said(key=key, line=line, occurred=occurred, event=event)


def whence(machine: Displaced, address: str = "") -> str:
    """Return which machine lost its place, and where it was met since."""
    host = machine.host or "a machine without a name"
    return f"{host} ({address})" if address else host
