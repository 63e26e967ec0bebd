"""``scantrail``: where is it, since when, and on what evidence."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from typing import TypeAlias

from server.client import asking
from server.client.export import add_export
from server.client.labels import add_labels
from server.client.program import finished, to_server
from server.client.when import FORMS, as_typed
from shared.version import VERSION

__all__ = ["main"]

_TIMES = f"A time T is {FORMS}; without an offset it is in the zone of this machine."

_Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 # it has no other name


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scantrail",
        description="Ask a Scantrail server where things are, since when, and on what "
        "evidence.",
    )
    parser.add_argument("--version", action="version", version=VERSION)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_items(commands)
    _add_lists(commands)
    _add_wanted(commands)
    add = commands.add_parser("export", help="everything of one kind, into a file")
    add_export(add)
    _to_server(add)
    add_labels(commands)
    return parser


def _add_items(commands: _Commands) -> None:
    add = commands.add_parser(
        "trace",
        help="one item: where it is, and every scan that shows it",
        epilog=_TIMES,
    )
    _item(add)
    _when(add, "as of this moment", "from what was known at this moment")
    _to_server(add)
    add.set_defaults(run=asking.trace_one)

    add = commands.add_parser(
        "whatchanged",
        help="one item: what changed our mind since a moment",
        epilog=_TIMES,
    )
    _item(add)
    _when(add, "where was it then?", "from what was known then; --at if missing")
    _to_server(add)
    add.set_defaults(run=asking.whatchanged)

    add = commands.add_parser("find", help="items by a part of their code")
    add.add_argument(
        "text", metavar="TEXT", nargs="?", default="", help="any part of the code"
    )
    for name in asking.FILTERS:
        add.add_argument(f"--{name}", metavar="X", help="and with this " + name)
    _limit(add)
    _to_server(add)
    add.set_defaults(run=asking.find)

    add = commands.add_parser("at", help="one place: what is there now")
    add.add_argument("place", metavar="PLACE", help="its code, such as A-03-02")
    _limit(add)
    _to_server(add)
    add.set_defaults(run=asking.at_place)


def _add_lists(commands: _Commands) -> None:
    add = commands.add_parser("exceptions", help="what a person should look at")
    add.add_argument("--code", metavar="CODE", help="of this code only")
    add.add_argument("--all", action="store_true", help="also those that are over")
    _limit(add)
    _to_server(add)
    add.set_defaults(run=asking.exceptions)

    add = commands.add_parser("stations", help="each station, and how it does")
    _to_server(add)
    add.set_defaults(run=asking.stations_now)


def _add_wanted(commands: _Commands) -> None:
    add = commands.add_parser("wanted", help="what every station looks out for")
    _to_server(add)
    add.set_defaults(run=asking.list_wanted)

    add = commands.add_parser(
        "want", help="have every station look out for an item (a key that supervises)"
    )
    _item(add)
    add.add_argument("--reason", default="", metavar="TEXT", help="why; it is kept")
    _to_server(add)
    add.set_defaults(run=asking.want)

    add = commands.add_parser("unwant", help="have an item looked for no longer")
    _item(add)
    _to_server(add)
    add.set_defaults(run=asking.unwant)


def _item(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("item", metavar="ITEM", help="its code, such as P-1")


def _limit(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--limit", type=int, default=50, metavar="N", help="at most this many"
    )


def _when(parser: argparse.ArgumentParser, at: str, known_at: str) -> None:
    parser.add_argument("--at", type=as_typed, metavar="T", help=at)
    parser.add_argument("--known-at", type=as_typed, metavar="T", help=known_at)


def _to_server(parser: argparse.ArgumentParser) -> None:
    to_server(parser, "a key that may read")
    parser.add_argument("--json", action="store_true", help="print JSON")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return 0 only when it did what it says."""
    options = _parser().parse_args(arguments)
    return finished("scantrail", lambda: asyncio.run(options.run(options)))


if __name__ == "__main__":
    sys.exit(main())
