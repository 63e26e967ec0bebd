"""``scantrail``: where is it, since when, and on what evidence."""

import argparse
import asyncio
import os
import sys
from collections.abc import Callable, Coroutine, Sequence

import msgspec

from server.client.api import Client, described, path
from server.client.labels import add_labels
from server.client.show import found, trace
from shared.errors import ScantrailError
from shared.protocol import ItemAnswer, ItemEvents, ItemPage

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


async def _find(options: argparse.Namespace) -> None:
    async with Client(options.server, options.key) as client:
        query = {"q": options.text, "limit": str(options.limit)}
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

    add = commands.add_parser("find", help="items by a part of their code")
    add.add_argument("text", metavar="TEXT", help="any part of the code")
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
