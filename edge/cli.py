"""``scantrail-station``: run a station, let it join a server, see how it does.

Data goes to standard output, everything else to standard error. The status is 0 only
where a command did what it says.
"""

import argparse
import asyncio
import logging
import os
import signal
import stat
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from socket import gethostname

import msgspec

from edge import health, joining
from edge.care import take_in_file
from edge.clock import read_clock
from edge.config import FILE, Config, load, texts
from edge.copying import adopt, take_in_journal
from edge.displays import Display, display_for
from edge.doctor import command as doctor_command
from edge.identify import command as identify_command
from edge.knowledge import configured
from edge.outbox import Outbox
from edge.scanners.settings import ScannerSettings, TerminalSettings, from_spec
from edge.station import Setup, run
from edge.trusting import trust
from shared import logfmt
from shared.addresses import without_scheme
from shared.advisories import affected
from shared.data_folders import for_station
from shared.errors import ScantrailError, StartError
from shared.fingerprint import digest, split
from shared.installed import installed
from shared.settings_file import read_secret
from shared.version import VERSION

__all__ = ["main"]

_SERVER = "SCANTRAIL_SERVER"
_SWITCH = 0.0005
"""Seconds that a thread may keep the interpreter from another. The kernel holds some
ten characters for the thread that reads a scanner, and Python's 5 ms, several times in
a row, are too long for a fast one."""

_URL_AND_CODE = 2  # words of a join that names both
_YES = {"yes", "y", "ja", "j", "s\u00ed", "si", "s"}
_LONGEST_CODE = 1024  # characters read from standard input; a code has far fewer


# --- join -----------------------------------------------------------------------------


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
        _note("no URL was given: listening for servers on this network …")
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
        _note(f"  {number}  {url}")
    if fingerprint:
        return found[0]
    _note(
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
        if outbox.problem:
            raise StartError(outbox.problem)
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
        _note(
            f"the log of before is another station's there; {waiting} lines that the "
            f"server lacks of it are told as {me.station}"
        )
    _note(
        f"joined {me.url} as {me.station}{place}; "
        f"now: scantrail-station run --data {options.data}"
    )


# --- run ------------------------------------------------------------------------------


def _run(options: argparse.Namespace) -> int:
    logfmt.begin(logging.INFO if options.verbose else logging.ERROR)
    for sentence in affected(installed):
        _note(sentence)
    sys.setswitchinterval(_SWITCH)
    data = Path(options.data)
    config = configured(load(options.config, data), options.config, data)
    named = tuple(from_spec(spec) for spec in options.scanner)
    scanners = named or config.scanner or _standard_input()
    # to drain what is not there fails by itself
    _see_that_it_is_meant(data, new=options.new or options.drain)
    setup, display = _setup(options, data, config, scanners)
    try:
        waiting = asyncio.run(_until_told(setup, display))
    finally:
        display.close()
        _let_go_of_output()
    if waiting:
        _note(f"{waiting} lines wait for the server, safe in {data}")
    return 1 if waiting and options.drain else 0


def _see_that_it_is_meant(data: Path, *, new: bool) -> None:
    """See that no station begins by a slip of the pen.

    Where nobody is there to be asked, it begins, as a scan is worth more than a name,
    and says so.

    Raises:
        StartError: It was not meant.
    """
    if new or (data.is_dir() and any(data.iterdir())):
        return
    told = f"there is no station in {data}: a new one begins there, of no server"
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        _note(f"{told}. Was another folder meant, or is it to join first?")
        return
    _note(f"{told}. One that has joined is in the folder that it joined in.")
    answer = ""
    with suppress(EOFError):
        answer = input("Begin it? (yes, or nothing) ").strip().casefold()
    if answer not in _YES:
        reason = (
            "nothing was begun: name the station's folder with --data, let it join "
            "first, or begin one with --new"
        )
        raise StartError(reason)


def _setup(
    options: argparse.Namespace,
    data: Path,
    config: Config,
    scanners: tuple[ScannerSettings, ...],
) -> tuple[Setup, Display]:
    words = texts(config.display, data)
    display = display_for(
        config.display, words, scanners, out=sys.stdout, aside=sys.stderr
    )
    setup = Setup(
        data=data,
        config=config,
        scanners=scanners,
        drain=options.drain,
        version=VERSION,
        texts=words,
        show=display.show,
        say=display.say,
        look=display.look,
    )
    return setup, display


def _standard_input() -> tuple[ScannerSettings, ...]:
    """Return the terminal as the scanner, where something can come from there."""
    try:
        mode = os.fstat(0).st_mode
    except OSError:
        mode = 0
    if os.isatty(0) or any(
        kind(mode) for kind in (stat.S_ISFIFO, stat.S_ISREG, stat.S_ISSOCK)
    ):
        return (TerminalSettings(),)
    reason = (
        "no scanner is named, and nothing can be typed here; name one with "
        f"--scanner, or in {FILE} in the data folder"
    )
    raise StartError(reason)


async def _until_told(setup: Setup, display: Display) -> int:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGWINCH, display.redraw)
    return await run(setup, stop)


def _let_go_of_output() -> None:
    """Write what is left; where nobody reads it any more, say nothing of it."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)


# --- recover --------------------------------------------------------------------------


def _recover(options: argparse.Namespace) -> int:
    lines, waiting = asyncio.run(_recovered(Path(options.data), Path(options.found)))
    _note(f"{lines} lines were read from {options.found}; {waiting} are to be sent")
    return 0


async def _recovered(data: Path, found: Path) -> tuple[int, int]:
    outbox = await Outbox.open(data / health.OUTBOX)
    try:
        if found.is_dir():  # noqa: ASYNC240 - nothing else runs here
            lines = await adopt(outbox, found)
            lines = max(lines, await take_in_journal(outbox, found))
        else:
            lines = await take_in_file(outbox, found)
        outbox.remember()
    except OSError as error:
        reason = f"{found}: {error.strerror}; nothing more was taken from it"
        raise StartError(reason) from error
    else:
        return lines, outbox.waiting
    finally:
        await outbox.close()


# --- status, check-config -------------------------------------------------------------


def _status(options: argparse.Namespace) -> int:
    status = health.overview(Path(options.data), read_clock())
    if options.json:
        _print(msgspec.json.encode(status).decode())
    elif options.prometheus:
        # only who asks needs it; a station that runs has no memory to give away
        from edge.figures import figures  # noqa: PLC0415

        _print(figures(status).rstrip("\n"))
    else:
        _print("\n".join(health.in_words(status)))
    return 0


def _trust(options: argparse.Namespace) -> int:
    data = Path(options.data)
    found = asyncio.run(trust(data, options.what, insecure=options.insecure))
    how = found.fingerprint or "a certificate that an authority knows"
    _note(
        f"{found.station} trusts {found.url} by {how} from its next start on: "
        "systemctl restart its unit, or start it again"
    )
    return 0


def _check_config(options: argparse.Namespace) -> int:
    if options.example:
        # Only who asks needs it; a station that runs has no memory to give away.
        from edge.config_example import example  # noqa: PLC0415

        _print(example().rstrip("\n"))
        return 0
    path = Path(options.file or Path(options.data) / FILE)
    config = load(path, Path(options.data))
    texts(config.display, Path(options.data))
    scanners = ", ".join(s.device for s in config.scanner) or "none named"
    _note(f"{path} is right; scanners: {scanners}; mode: {config.workflow.start}")
    return 0


# --- the command line -----------------------------------------------------------------


def _print(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - what was asked for


def _note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - for the person


_DESCRIPTION = """\
A scan station: it turns scans into events, keeps them safe on this machine, and brings
them to the server, whenever it can be reached.

  scantrail-station join https://scantrail.example.org CODE --data station
  scantrail-station run --data station --scanner serial:/dev/serial/by-id/…
  scantrail-station status --data station
"""

_RUN = """\
Run the station until it is told to end (Ctrl-C). Each scan gives one line on standard
output; "SAVED" means that it is durable on this machine. Without a network the station
goes on, and sends by itself once the server is back.

Scan X-RECEIVE, X-STORE, X-PICK, … to say what the next scans mean, X-UNDO to take the
last one back, and a badge (B-…) to badge in and out. An item is P-…, C-… (a container),
M-… (a load) or any GS1 or carrier's label; a place is L-….
"""

_RECOVER = """\
Take in what is whole in FROM: the journal of this station (a folder), or an outbox of
it that was set aside or found (a file). The station must not run. The lines keep their
names; the server takes each once, however often this is done.
"""

_TRUST = """\
The certificate of this station's server was replaced on purpose, or the server has
moved: trust the one with this fingerprint (in the server's own log), or the address
with it, https://HOST:8443#sha256:… The station stays who it is, with all its scans. It
takes effect when the station starts the next time.
"""

_JOIN = f"""\
Let this station join a server with the one-time code that an administrator made for it.
The URL may come from {_SERVER}. Without one, servers are looked for on this network
(extra mdns), and you choose, or --fingerprint does. The code may come from standard
input (-), SCANTRAIL_CODE, or the file that SCANTRAIL_CODE_FILE names.
"""


def _parser() -> argparse.ArgumentParser:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="scantrail-station", description=_DESCRIPTION, formatter_class=raw
    )
    parser.add_argument("--version", action="version", version=VERSION)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(
        name: str, do: Callable[[argparse.Namespace], int], help_: str, text: str = ""
    ) -> argparse.ArgumentParser:
        made = commands.add_parser(
            name, help=help_, description=text or f"{help_}.", formatter_class=raw
        )
        made.set_defaults(do=do)
        made.add_argument(
            "--data",
            metavar="DIR",
            default="station",
            help="the station's data folder (default: %(default)s)",
        )
        return made

    join = command("join", _join, "let this station join a server", _JOIN)
    join.add_argument("words", nargs="*", metavar="URL CODE", help="see above")
    join.add_argument(
        "--insecure",
        action="store_true",
        help="allow http:// to another machine: anyone on the way can read the token",
    )
    join.add_argument(
        "--fingerprint",
        metavar="SHA256",
        default="",
        help="trust the one certificate that has it, and no authority; it may also "
        "stand behind the URL's #, as the server prints it",
    )

    go = command("run", _run, "scan, save, and send", _RUN)
    go.add_argument(
        "--scanner",
        metavar="SPEC",
        action="append",
        default=[],
        help="serial:PATH, evdev:PATH, tcp:HOST:PORT, terminal and others; may be "
        "repeated (default: those in the configuration, else the terminal)",
    )
    go.add_argument(
        "--config",
        metavar="FILE",
        type=Path,
        help=f"the configuration (default: {FILE} in the data folder, if it is there)",
    )
    go.add_argument(
        "--drain",
        action="store_true",
        help="at the end of the input, wait until the server has acknowledged "
        "everything, and end; the status is 0 only then",
    )
    go.add_argument(
        "--new", action="store_true", help="begin a station in DIR without being asked"
    )
    go.add_argument("--verbose", action="store_true", help="log more, for a developer")

    recover = command(
        "recover",
        _recover,
        "take in scans from a journal or an outbox",
        _RECOVER,
    )
    recover.add_argument("found", metavar="FROM", help="the folder, or the file")

    status = command("status", _status, "say how this station does")
    status.add_argument("--json", action="store_true", help="for programs")
    status.add_argument(
        "--prometheus",
        action="store_true",
        help="for node_exporter's text files",
    )

    vouch = command(
        "trust",
        _trust,
        "go on with this station's server under another certificate or address",
        _TRUST,
    )
    vouch.add_argument("what", metavar="FINGERPRINT|URL", help="see above")
    vouch.add_argument(
        "--insecure",
        action="store_true",
        help="allow http:// to another machine: anyone on the way can read the token",
    )

    doctor_command.add(command)
    identify_command.add(command)

    check = command(
        "check-config",
        _check_config,
        "say whether a configuration is right; --example prints one with all settings",
    )
    check.add_argument(
        "file", nargs="?", metavar="FILE", help=f"(default: {FILE} in the data folder)"
    )
    check.add_argument(
        "--example",
        action="store_true",
        help="print a file with every setting and its description instead",
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return the program's exit status."""
    options = _parser().parse_args(arguments)
    do: Callable[[argparse.Namespace], int] = options.do
    try:
        for_station(Path(options.data))
        return do(options)
    except ScantrailError as error:
        _note(f"scantrail-station: {error}")
        return 1
    except BrokenPipeError:
        _let_go_of_output()
        return 1
    except KeyboardInterrupt:
        return 130
