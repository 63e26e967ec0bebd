"""``scantrail``: where is it, since when, and on what evidence."""

import argparse
import asyncio
import os
import sys
from collections.abc import Callable, Coroutine, Sequence

import msgspec

from server.client.api import Client, described, path
from server.client.export import add_export
from server.client.labels import add_labels
from server.client.reports import changed, stations, wrong
from server.client.show import found, trace
from shared.errors import ScantrailError
from shared.protocol import (
    ExceptionPage,
    ItemAnswer,
    ItemChanges,
    ItemEvents,
    ItemPage,
    StationPage,
)

__all__ = ["main"]


def _print(lines: Sequence[str]) -> None:
    print("\n".join(lines))  # noqa: T201 # the result


def _moments(options: argparse.Namespace) -> dict[str, str]:
    asked = {"at": options.at, "known_at": options.known_at}
    return {name: value for name, value in asked.items() if value is not None}


async def _trace(options: argparse.Namespace) -> None:
    where, query = path("v1", "items", options.item), _moments(options)
    async with Client(options.server, options.key) as client:
        answer = await client.get(where, ItemAnswer, query)
        history = await client.get(f"{where}/events", ItemEvents, query)
    if options.json:
        both = {"item": answer, "events": history.events}
        _print([msgspec.json.format(msgspec.json.encode(both), indent=2).decode()])
    else:
        _print(trace(answer, history))


async def _exceptions(options: argparse.Namespace) -> None:
    asked = {"open": "all" if options.all else "true", "limit": str(options.limit)}
    if options.code:
        asked["code"] = options.code
    async with Client(options.server, options.key) as client:
        page = await client.get("/v1/exceptions", ExceptionPage, asked)
    _show(page, wrong(page), json=options.json)


async def _stations(options: argparse.Namespace) -> None:
    async with Client(options.server, options.key) as client:
        page = await client.get("/v1/stations", StationPage)
    _show(page, stations(page), json=options.json)


async def _whatchanged(options: argparse.Namespace) -> None:
    where = path("v1", "items", options.item, "changes")
    async with Client(options.server, options.key) as client:
        found = await client.get(where, ItemChanges, _moments(options))
    _show(found, changed(found), json=options.json)


def _show(value: object, lines: Sequence[str], *, json: bool) -> None:
    if json:
        lines = [msgspec.json.format(msgspec.json.encode(value), indent=2).decode()]
    _print(lines)


async def _find(options: argparse.Namespace) -> None:
    async with Client(options.server, options.key) as client:
        query = {"q": options.text, "limit": str(options.limit)}
        filters = ("status", "location", "container", "custodian")
        asked = {name: getattr(options, name) for name in filters}
        query |= {name: value for name, value in asked.items() if value is not None}
        page = await client.get("/v1/items", ItemPage, query)
    if options.json:
        _print([msgspec.json.format(msgspec.json.encode(page), indent=2).decode()])
    elif page.items:
        _print(found(page))
    else:
        _print([f"No item with {options.text!r} in its code was ever scanned."])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scantrail",
        description="Ask a Scantrail server where things are, since when, and on what "
        "evidence.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    add = commands.add_parser(
        "trace", help="one item: where it is, and every scan that shows it"
    )
    add.add_argument("item", metavar="ITEM", help="its code, such as P-1")
    add.add_argument(
        "--at", metavar="T", help="as of this moment, such as 2026-04-27T08:00:00Z"
    )
    add.add_argument(
        "--known-at", metavar="T", help="from what was known at this moment"
    )
    _to_server(add)
    add.set_defaults(run=_trace)

    add = commands.add_parser(
        "whatchanged", help="one item: what changed our mind since a moment"
    )
    add.add_argument("item", metavar="ITEM", help="its code, such as P-1")
    add.add_argument(
        "--at", metavar="T", help="where was it then? such as 2026-04-27T08:00:00Z"
    )
    add.add_argument(
        "--known-at", metavar="T", help="from what was known then; --at if missing"
    )
    _to_server(add)
    add.set_defaults(run=_whatchanged)

    add = commands.add_parser("exceptions", help="what a person should look at")
    add.add_argument("--code", metavar="CODE", help="of this code only")
    add.add_argument("--all", action="store_true", help="also those that are over")
    add.add_argument(
        "--limit", type=int, default=50, metavar="N", help="at most this many"
    )
    _to_server(add)
    add.set_defaults(run=_exceptions)

    add = commands.add_parser("stations", help="each station, and how it does")
    _to_server(add)
    add.set_defaults(run=_stations)

    add = commands.add_parser("export", help="everything of one kind, into a file")
    add_export(add)
    _to_server(add)

    add = commands.add_parser("find", help="items by a part of their code")
    add.add_argument("text", metavar="TEXT", help="any part of the code")
    for name in ("status", "location", "container", "custodian"):
        add.add_argument(f"--{name}", metavar="X", help="and with this " + name)
    add.add_argument(
        "--limit", type=int, default=50, metavar="N", help="at most this many"
    )
    _to_server(add)
    add.set_defaults(run=_find)

    add_labels(commands)
    return parser


def _to_server(parser: argparse.ArgumentParser) -> None:
    for name, what in (("server", "its address"), ("key", "a key that may read")):
        variable = f"SCANTRAIL_{name.upper()}"
        parser.add_argument(
            f"--{name}",
            default=os.environ.get(variable),
            required=variable not in os.environ,
            help=f"{what} (or {variable})",
        )
    parser.add_argument("--json", action="store_true", help="print JSON")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return 0 only when it did what it says."""
    options = _parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], Coroutine[None, None, None]] = options.run
    try:
        asyncio.run(run(options))
    except ScantrailError as error:
        print(f"scantrail: {described(error)}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
