"""``scantrail-server``: serve, make keys, let stations join."""

import argparse
import asyncio
import gc
import logging
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from urllib.parse import quote

from server import (
    archive_command,
    doctor,
    malformed,
    migrate,
    people_command,
    plan_command,
    serving,
    setup,
    site_command,
    upkeep,
)
from server.backup import DATABASE
from server.client.api import AnsweredError, Client
from server.client.imports import add_import
from server.client.program import finished, to_server
from server.client.show import plain, table
from server.config import load
from server.data_folder import KEYS, begun_data_folder, data_folder, hold
from server.elsewhere import kept_elsewhere
from server.keys import Keys, Scope
from server.noted import note_act
from server.now import now
from server.store.retime import retime_database
from shared import logfmt
from shared.api.acts import Written
from shared.api.stations import CodePage, NewStation, Revoke, StationCode
from shared.errors import StartError
from shared.installed import warn_of_weaknesses
from shared.keys import Kind, parse
from shared.moments import SECOND, to_text
from shared.protocol import ProblemType
from shared.version import VERSION

__all__ = ["main"]

_LOG = logging.getLogger("scantrail.server")
DAY = 24 * 3600 * SECOND
MOST_DAYS = 3650
_KEY = "an administrator's key"


def serve(options: argparse.Namespace) -> None:
    """Serve until told to end."""
    given = {"data": options.data, "host": options.host, "port": options.port}
    config = load(options.config, {k: v for k, v in given.items() if v is not None})
    logfmt.begin(logging.INFO)
    malformed.begin()
    warn_of_weaknesses(_LOG)
    # nothing that comes in by the thousand is part of a cycle: look for them rarely
    gc.set_threshold(50_000, 20, 50)
    asyncio.run(serving.serve(config, new=not Path(config.data).exists()))


# --- key, station-code ----------------------------------------------------------------


def key(options: argparse.Namespace) -> None:
    """Make a bearer key, and print it."""
    data = begun_data_folder(options.data)
    folder, at = data / KEYS, now()
    ends = at + options.days * DAY if options.days else 0
    until = f", until {to_text(ends)}" if ends else ""
    named = f" for {options.name}" if options.name else ""
    try:
        made = Keys(folder).create(
            Scope(options.scope), to_text(at), options.name, ends
        )
        note_act(data, f"key made: scope {options.scope}{named}{until}", to_text(at))
    except OSError as error:
        reason = f"{folder}: {error.strerror}; run it as the user who runs the server"
        raise StartError(reason) from error
    print(made)  # noqa: T201 # the result


def station_code(options: argparse.Namespace) -> None:
    """Ask a running server for a code that lets a station join, or which were made."""
    if options.list:
        _list_codes(options)
        return
    if not options.name:
        reason = "which station? Name it, or see with --list which codes were made."
        raise StartError(reason)
    place = _place(options.location) if options.location else None
    new = NewStation(
        name=options.name,
        location=place,
        kind=options.kind,
        replaces=options.replace,
    )

    async def ask() -> StationCode:
        async with Client(options.server, options.key) as client:
            return await client.post("/v1/stations", new, StationCode)

    try:
        code = asyncio.run(ask())
    except AnsweredError as error:
        if error.problem.type != ProblemType.TAKEN:
            raise
        reason = f"{error.problem.detail} That one is made with --replace."
        raise StartError(reason) from error
    print(code.code)  # noqa: T201 # the result
    if options.replace:
        print(  # noqa: T201
            f"Whoever joins by this code is {new.name} from then on. Another machine "
            "that is so now goes on scanning, and is refused here.",
            file=sys.stderr,
        )
    print(  # noqa: T201
        f"{code.station} joins with: scantrail-station join {options.server} "
        f"{code.code} --data DIR\nThe code works once, until {code.expires_at}.",
        file=sys.stderr,
    )


def _list_codes(options: argparse.Namespace) -> None:
    """Print which codes were made, the newest first: never the codes themselves."""

    async def ask() -> CodePage:
        async with Client(options.server, options.key) as client:
            return await client.get("/v1/codes", CodePage)

    rows = [
        (
            plain(one.station),
            f"{one.state} {one.used_at}" if one.used_at else one.state,
            f"{one.made_at} by {plain(one.made_by)}",
            one.expires_at,
            "yes" if one.replaces else "",
        )
        for one in asyncio.run(ask()).codes
    ]
    head = ("for", "is", "made", "ends", "replaces")
    print("\n".join(table(head, rows)))  # noqa: T201 # the result


def _place(written: str) -> str:
    """Return a place's key; it may be written as its label, ``L-DOCK-2``."""
    read = parse(written)
    return read.text if read.kind is Kind.LOCATION else written


def revoke(options: argparse.Namespace) -> None:
    """Ask a running server to let a station do nothing more."""
    path = f"/v1/stations/{quote(options.name, safe='')}/revoke"

    async def ask() -> Written:
        async with Client(options.server, options.key) as client:
            return await client.post(path, Revoke(reason=options.reason), Written)

    asyncio.run(ask())
    print(  # noqa: T201
        f"{options.name} is revoked: what it sent stays, what it captures it keeps. "
        "A new station-code lets it join again.",
        file=sys.stderr,
    )


def retime(options: argparse.Namespace) -> None:
    """Place lines anew in time, without what came while the clock was wrong."""
    elsewhere = kept_elsewhere(options.config, Path(options.data))
    if elsewhere is None:
        data = data_folder(options.data)
        hold(data)
        found = retime_database(data / DATABASE)
    else:
        found = elsewhere.retime()
    for begin, end in found.periods:
        print(f"{to_text(begin)}\t{to_text(end)}")  # noqa: T201 # the result
    print(  # noqa: T201
        f"This server's clock was wrong {len(found.periods)} times; {found.changed} "
        "lines happened otherwise than was thought. Answers are made anew when a "
        "server starts.",
        file=sys.stderr,
    )


# --- arguments ------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scantrail-server",
        description="The server of Scantrail: keeps every scan for ever, and answers "
        "where each item is, since when, and on what evidence.",
    )
    parser.add_argument("--version", action="version", version=VERSION)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    add = commands.add_parser("serve", help="serve until Ctrl-C or a stop signal")
    add.add_argument("--config", type=Path, metavar="FILE", help="settings, in TOML")
    add.add_argument("--data", metavar="DIR", help="where everything is kept")
    add.add_argument("--host", metavar="H", help="address to listen on")
    add.add_argument("--port", type=int, metavar="N", help="port; 0 takes a free one")
    add.set_defaults(run=serve)

    add = commands.add_parser("key", help="make a bearer key, and print it")
    add.add_argument("--data", required=True, metavar="DIR", help="the server's folder")
    add.add_argument(
        "--scope",
        required=True,
        choices=[scope.value for scope in Scope],
        help="what it may do",
    )
    add.add_argument(
        "--name", default="", metavar="WHO", help="who acts with it, for the log"
    )
    add.add_argument(
        "--days",
        type=_days,
        default=0,
        metavar="N",
        help="end it after so many days; by itself it does not end",
    )
    add.set_defaults(run=key)

    add = commands.add_parser(
        "station-code", help="make a one-time code that lets a station join"
    )
    add.add_argument(
        "name", metavar="NAME", nargs="?", help="what the station is called"
    )
    add.add_argument(
        "--list",
        action="store_true",
        help="make none; show which were made in the last months, by whom, and what "
        "became of each",
    )
    add.add_argument("--location", metavar="L", help="where it stands")
    add.add_argument("--kind", choices=["station", "host"], default="station")
    add.add_argument(
        "--replace",
        action="store_true",
        help="it takes the place of the station that has this name now, which is "
        "refused from then on; without it a name that is in use is refused",
    )
    to_server(add, _KEY)
    add.set_defaults(run=station_code)

    add = commands.add_parser(
        "revoke", help="let a station do nothing more: stolen, lost, out of use"
    )
    add.add_argument("name", metavar="NAME", help="what the station is called")
    add.add_argument("--reason", default="", metavar="TEXT", help="why; it is kept")
    to_server(add, _KEY)
    add.set_defaults(run=revoke)

    add = commands.add_parser(
        "retime",
        help="find when this machine's clock was wrong, and place lines anew in time",
    )
    add.add_argument("--data", required=True, metavar="DIR", help="the server's folder")
    add.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="the server's settings; needed where [store] url names a database",
    )
    add.set_defaults(run=retime)

    add = commands.add_parser("import", help="bring a table of a host system")
    add_import(add)
    to_server(add, _KEY)
    people_command.add_commands(commands)
    plan_command.add_commands(commands)
    upkeep.add_commands(commands)
    site_command.add_commands(commands)
    setup.add_commands(commands)
    doctor.add_commands(commands)
    migrate.add_commands(commands)
    archive_command.add_commands(commands)
    return parser


def _days(text: str) -> int:
    """Read a number of days, 1 to 3650."""
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:6]) <= MOST_DAYS):
        reason = f"{text!r} is no number of days from 1 to {MOST_DAYS}"
        raise argparse.ArgumentTypeError(reason)
    return int(text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return 0 only when it did what it says."""
    options = _parser().parse_args(arguments)
    return finished("scantrail-server", partial(options.run, options))


if __name__ == "__main__":
    sys.exit(main())
