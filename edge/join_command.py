"""``scantrail-station join``: which server, by which code, and what came of it."""

import argparse
import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from socket import gethostname

from edge import health, joining
from edge.outbox import Outbox
from edge.streams import note
from shared.addresses import without_scheme
from shared.errors import StartError
from shared.fingerprint import digest, split
from shared.settings_file import read_secret
from shared.version import VERSION

__all__ = ["add"]

_SERVER = "SCANTRAIL_SERVER"
_URL_AND_CODE = 2  # words of a join that names both
_LONGEST_CODE = 1024  # characters read from standard input; a code has far fewer

_ABOUT = f"""\
Let this station join a server with the one-time code that an administrator made for it.
The URL may come from {_SERVER}. Without one, servers are looked for on this network
(extra mdns), and you choose, or --fingerprint does. The code may come from standard
input (-), SCANTRAIL_CODE, or the file that SCANTRAIL_CODE_FILE names.
"""


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add it to the station's commands."""
    made = command("join", _join, "let this station join a server", _ABOUT)
    made.add_argument("words", nargs="*", metavar="URL CODE", help="see above")
    made.add_argument(
        "--insecure",
        action="store_true",
        help="allow http:// to another machine: anyone on the way can read the token",
    )
    made.add_argument(
        "--fingerprint",
        metavar="SHA256",
        default="",
        help="trust the one certificate that has it, and no authority; it may also "
        "stand behind the URL's #, as the server prints it",
    )


def _join(options: argparse.Namespace) -> int:
    url, code = _where_and_code(options)
    asyncio.run(_joined(url, code, options))
    return 0


def _where_and_code(options: argparse.Namespace) -> tuple[str, str]:
    """Read ``join URL CODE``, where either may come from the environment."""
    words: list[str] = options.words
    named = [word for word in words if "://" in word]
    rest = [word for word in words if "://" not in word]
    url = named[0] if named else os.environ.get(_SERVER, "")
    code = rest[0] if rest else read_secret("code", os.environ)
    if len(rest) == len(words) == _URL_AND_CODE:
        raise StartError(without_scheme(rest[0]))
    if len(named) > 1 or len(rest) > 1:
        reason = f"expected one URL and one CODE, and got: {' '.join(words)}"
        raise StartError(reason)
    if code == "-":
        code = sys.stdin.readline(_LONGEST_CODE).strip()
    if not code:
        reason = (
            "which code? An administrator makes one for this station; "
            "scantrail-station join URL CODE (a CODE of - reads standard input)"
        )
        raise StartError(reason)
    return url or _nearby(options.fingerprint), code


def _nearby(fingerprint: str) -> str:
    """Look for a server on this network, and let a person choose.

    Raises:
        StartError: There is none, none was chosen, or nobody is there to choose.
    """
    # only who asks needs it; a station that runs has no memory to give away
    from edge.nearby import look  # noqa: PLC0415

    if sys.stdin.isatty():
        note("no URL was given: listening for servers on this network …")
    found = [one.url for one in asyncio.run(look())]
    if fingerprint:
        found = [url for url in found if _has(url, fingerprint)]
    if not found:
        with_it = " with that fingerprint" if fingerprint else ""
        reason = (
            f"no server{with_it} was heard on this network. An address always works: "
            "scantrail-station join URL CODE"
        )
        raise StartError(reason)
    for number, url in enumerate(found, 1):
        note(f"  {number}  {url}")
    if fingerprint:
        return found[0]
    note(
        "Anybody on this network can announce a server. Choose one only if what stands "
        "here is what the server's own log and its console show."
    )
    return _chosen(found)


def _has(url: str, fingerprint: str) -> bool:
    try:
        return split(url)[1] == f"sha256:{digest(fingerprint).hex()}"
    except ValueError as error:
        raise StartError(str(error)) from error


def _chosen(found: Sequence[str]) -> str:
    typed = ""
    if sys.stdin.isatty():
        with suppress(EOFError):
            typed = input(f"Which one? (1 to {len(found)}, or nothing) ").strip()
    if typed in {str(number) for number in range(1, len(found) + 1)}:
        return found[int(typed) - 1]
    reason = (
        "no server was chosen, and nothing was sent: scantrail-station join URL CODE, "
        "or --fingerprint with that of the server"
    )
    raise StartError(reason)


async def _joined(url: str, code: str, options: argparse.Namespace) -> None:
    data = Path(options.data)
    outbox = await Outbox.open(data / health.OUTBOX)
    try:
        if outbox.file.problem:
            raise StartError(outbox.file.problem)
        before = outbox.log
        me = await joining.move_in(
            outbox,
            partial(
                joining.join,
                url,
                code,
                data,
                version=VERSION,
                host=gethostname(),
                insecure=options.insecure,
                pin=options.fingerprint,
            ),
        )
        anew, waiting = outbox.log != before, outbox.waiting
    finally:
        await outbox.close()
    place = f" at {me.location}" if me.location else ""
    if anew:
        note(
            f"the log of before is another station's there; {waiting} lines that the "
            f"server lacks of it are told as {me.station}"
        )
    note(
        f"joined {me.url} as {me.station}{place}; "
        f"now: scantrail-station run --data {options.data}"
    )
