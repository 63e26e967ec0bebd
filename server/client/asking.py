"""What each command of ``scantrail`` asks a server, and prints."""

import argparse
from collections.abc import Sequence

import msgspec

from server.client.api import AnsweredError, Client, path
from server.client.reports import changed, stations, wrong
from server.client.show import found, here, plain, sentence, trace, wanted
from server.client.when import as_local
from shared.api.changes import ItemChanges
from shared.api.exceptions import ExceptionPage
from shared.api.items import ItemAnswer, ItemEvents, ItemPage
from shared.api.stations import StationPage
from shared.api.wanted import Want, Wanted, WantedPage
from shared.errors import StartError
from shared.keys import Kind, parse
from shared.protocol import ProblemType

__all__ = [
    "at_place",
    "exceptions",
    "find",
    "list_wanted",
    "stations_now",
    "trace_one",
    "unwant",
    "want",
    "whatchanged",
]

FILTERS = ("status", "location", "container", "custodian")


def _print(lines: Sequence[str]) -> None:
    print("\n".join(lines))  # noqa: T201 # the result


def _show(value: object, lines: Sequence[str], *, json: bool) -> None:
    if json:
        lines = [msgspec.json.format(msgspec.json.encode(value), indent=2).decode()]
    _print(lines)


def _named(typed: str, kind: Kind) -> str:
    """Return the key of a code that was typed, as a scan of its label gives it."""
    key = parse(typed)
    return key.text if key.kind is kind else typed


def _moments(options: argparse.Namespace) -> dict[str, str]:
    asked = {"at": options.at, "known_at": options.known_at}
    return {name: value for name, value in asked.items() if value is not None}


def _as_of(options: argparse.Namespace) -> list[str]:
    """Say which moments are meant, in the zone of who asks: times below are in UTC."""
    said = {"As of": options.at, "As known at": options.known_at}
    return [f"{what} {as_local(when)}:" for what, when in said.items() if when]


async def trace_one(options: argparse.Namespace) -> None:
    """Print where an item is and what shows it; of a place, what is there."""
    if parse(options.item).kind is Kind.LOCATION and not options.json:
        await _at(options, _named(options.item, Kind.LOCATION), limit=50)
        return
    query = _moments(options)
    where = path("v1", "items", _named(options.item, Kind.ITEM))
    async with Client(options.server, options.key) as client:
        answer = await client.get(where, ItemAnswer, query)
        history = await client.get(f"{where}/events", ItemEvents, query)
        place = answer.item.upper()
        there = None
        if not answer.known:
            holds = path("v1", "locations", place, "items")
            there = await client.get(holds, ItemPage, {"limit": "50"})
    if there is not None and there.items and not options.json:
        _print([f"{place} is a place, not an item.", *here(place, there)])
        return
    both = {"item": answer, "events": history.events}
    _show(both, [*_as_of(options), *trace(answer, history)], json=options.json)


async def at_place(options: argparse.Namespace) -> None:
    """Print what is at a place now; of an item, say that it is one."""
    if parse(options.place).kind is Kind.ITEM and not options.json:
        item = _named(options.place, Kind.ITEM)
        async with Client(options.server, options.key) as client:
            answer = await client.get(path("v1", "items", item), ItemAnswer)
        if answer.known:
            _print([f"{plain(item)} is an item, not a place.", sentence(answer)])
            return
    place = _named(options.place, Kind.LOCATION)
    await _at(options, place, limit=options.limit)


async def _at(options: argparse.Namespace, place: str, *, limit: int) -> None:
    async with Client(options.server, options.key) as client:
        query = {"limit": str(limit)}
        page = await client.get(
            path("v1", "locations", place, "items"), ItemPage, query
        )
    _show(page, here(place, page), json=options.json)


async def exceptions(options: argparse.Namespace) -> None:
    """Print what a person should look at."""
    asked = {"open": "all" if options.all else "true", "limit": str(options.limit)}
    if options.code:
        asked["code"] = options.code
    async with Client(options.server, options.key) as client:
        page = await client.get("/v1/exceptions", ExceptionPage, asked)
    _show(page, wrong(page), json=options.json)


async def stations_now(options: argparse.Namespace) -> None:
    """Print each station, and how it does."""
    async with Client(options.server, options.key) as client:
        page = await client.get("/v1/stations", StationPage)
    _show(page, stations(page), json=options.json)


async def whatchanged(options: argparse.Namespace) -> None:
    """Print what changed our mind about an item since a moment."""
    if not _moments(options):
        reason = "since when? Say --at or --known-at, such as --at 13:50"
        raise StartError(reason)
    where = path("v1", "items", _named(options.item, Kind.ITEM), "changes")
    async with Client(options.server, options.key) as client:
        answer = await client.get(where, ItemChanges, _moments(options))
    _show(answer, [*_as_of(options), *changed(answer)], json=options.json)


async def find(options: argparse.Namespace) -> None:
    """Print items by a part of their code, and by where and with whom they are."""
    asked = {name: getattr(options, name) for name in FILTERS}
    query = {"q": options.text, "limit": str(options.limit)}
    query |= {name: value for name, value in asked.items() if value is not None}
    async with Client(options.server, options.key) as client:
        page = await client.get("/v1/items", ItemPage, query)
    text = f" with {options.text!r} in its code" if options.text else ""
    like = " and what else was asked for" if any(asked.values()) else ""
    nothing = [f"No item{text}{like} was ever scanned."]
    _show(page, found(page) if page.items else nothing, json=options.json)


async def list_wanted(options: argparse.Namespace) -> None:
    """Print what every station looks out for."""
    async with Client(options.server, options.key) as client:
        page = await client.get("/v1/wanted", WantedPage)
    _show(page, wanted(page.wanted), json=options.json)


async def want(options: argparse.Namespace) -> None:
    """Have an item looked for at every station."""
    item = _named(options.item, Kind.ITEM)
    async with Client(options.server, options.key) as client:
        mark = await client.put(
            path("v1", "wanted", item), Want(reason=options.reason), Wanted
        )
    _show(mark, wanted([mark]), json=options.json)


async def unwant(options: argparse.Namespace) -> None:
    """Have an item looked for no longer."""
    item = _named(options.item, Kind.ITEM)
    async with Client(options.server, options.key) as client:
        said = []
        try:
            await client.delete(path("v1", "wanted", item))
        except AnsweredError as error:
            if error.problem.type != ProblemType.NOT_FOUND:
                raise
            said = [f"{item} was not wanted; nothing was done."]
        page = await client.get("/v1/wanted", WantedPage)
    _show(page, [*said, *wanted(page.wanted)], json=options.json)
