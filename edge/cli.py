"""``scantrail-station``: run a station, let it join a server, see how it does.

Data goes to standard output, everything else to standard error. The status is 0 only
where a command did what it says.
"""

import argparse
import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from edge import health, join_command, run_command
from edge.care import take_in_file
from edge.clock import read_clock
from edge.config import FILE, load, texts
from edge.copying import adopt, take_in_journal
from edge.doctor import command as doctor_command
from edge.identify import command as identify_command
from edge.outbox import Outbox
from edge.streams import let_go_of_output, note, result
from edge.trusting import trust
from shared.data_folders import for_station
from shared.errors import ScantrailError, StartError
from shared.version import VERSION

__all__ = ["main"]


# --- recover --------------------------------------------------------------------------


def _recover(options: argparse.Namespace) -> int:
    lines, waiting = asyncio.run(_recovered(Path(options.data), Path(options.found)))
    note(f"{lines} lines were read from {options.found}; {waiting} are to be sent")
    return 0


async def _recovered(data: Path, found: Path) -> tuple[int, int]:
    outbox = await Outbox.open(data / health.OUTBOX)
    try:
        if found.is_dir():  # noqa: ASYNC240 - nothing else runs here
            lines = await adopt(outbox, found)
            lines = max(lines, await take_in_journal(outbox, found))
        else:
            lines = await take_in_file(outbox, found)
        outbox.file.remember()
    except OSError as error:
        reason = f"{found}: {error.strerror}; nothing more was taken from it"
        raise StartError(reason) from error
    else:
        return lines, outbox.waiting
    finally:
        await outbox.close()


# --- status, trust, check-config ------------------------------------------------------


def _status(options: argparse.Namespace) -> int:
    status = health.overview(Path(options.data), read_clock())
    if options.json:
        result(msgspec.json.encode(status).decode())
    elif options.prometheus:
        # only who asks needs it; a station that runs has no memory to give away
        from edge.figures import figures  # noqa: PLC0415

        result(figures(status).rstrip("\n"))
    else:
        result("\n".join(health.in_words(status)))
    return 0


def _trust(options: argparse.Namespace) -> int:
    data = Path(options.data)
    found = asyncio.run(trust(data, options.what, insecure=options.insecure))
    how = found.fingerprint or "a certificate that an authority knows"
    note(
        f"{found.station} trusts {found.url} by {how} from its next start on: "
        "systemctl restart its unit, or start it again"
    )
    return 0


def _check_config(options: argparse.Namespace) -> int:
    if options.example:
        # Only who asks needs it; a station that runs has no memory to give away.
        from edge.config_example import example  # noqa: PLC0415

        result(example().rstrip("\n"))
        return 0
    path = Path(options.file or Path(options.data) / FILE)
    config = load(path, Path(options.data))
    texts(config.display, Path(options.data))
    scanners = ", ".join(s.device for s in config.scanner) or "none named"
    note(f"{path} is right; scanners: {scanners}; mode: {config.workflow.start}")
    return 0


# --- the command line -----------------------------------------------------------------


_DESCRIPTION = """\
A scan station: it turns scans into events, keeps them safe on this machine, and brings
them to the server, whenever it can be reached.

  scantrail-station join https://scantrail.example.org CODE --data station
  scantrail-station run --data station --scanner serial:/dev/serial/by-id/…
  scantrail-station status --data station
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

    join_command.add(command)
    run_command.add(command)

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
        note(f"scantrail-station: {error}")
        return 1
    except BrokenPipeError:
        let_go_of_output()
        return 1
    except KeyboardInterrupt:
        return 130
