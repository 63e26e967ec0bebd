"""The main job on one machine: a server and a station, as two real processes.

Scans are typed, come from a keyboard scanner, or are piped in. With ``--offline`` the
server is stopped half-way through, while scanning goes on, and started again. At a
terminal, a simulated warehouse lives around the station (`server.client.living`).
"""

import argparse
import asyncio
import io
import os
import secrets
import signal
import sys
import threading
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from time import strftime
from typing import IO

import msgspec

from server.client.api import Client, described
from server.client.living import Living
from server.client.living.places import MARK
from server.client.show import found
from shared.api.items import ItemPage
from shared.errors import ScantrailError, StartError

__all__ = ["main"]

_BIN = Path(sys.executable).parent
_PATIENCE = 60
"""Seconds within which each step is done, or something is wrong."""
_PAUSE = 0.2
_PERSON = "demo"
_SEED = 7
"""Of the simulated warehouse: each demo has the same day."""
_AROUND = (
    "a simulated warehouse: within seconds its stations tell their last hours, and "
    f"then go on\n         {{:g}} times as fast as the clock. All of it says so: "
    f"(simulated), and -{MARK}- in codes."
)
_FASTEST = 200
_MOST_SHOWN = 1000

_HOW = """\
Type a code and press Enter, or scan with a scanner that types. For example:
  X-RECEIVE    what the next scans mean: receive, store, pick, accept, pack, load …
  P-1          a parcel;   C-1 a container,   M-1 a load
  L-A-01-01    a place;    B-ANA a badge;     X-UNDO takes the last scan back
  X-HANDOFF    two badges, then what one hands over to the other
Ctrl-D ends and shows where everything is; Ctrl-C ends at once.
"""


def say(text: str = "") -> None:
    """Tell the person at the terminal."""
    print(text, flush=True)  # noqa: T201 # that is what a demo is for


async def _start(
    *command: str,
    stdin: int | None = None,
    quiet: bool = False,
    errors: int | IO[bytes] | None = None,
) -> asyncio.subprocess.Process:
    """Start a program of the project, out of reach of the terminal's Ctrl-C."""
    program, *arguments = command
    return await asyncio.create_subprocess_exec(
        str(_BIN / program),
        *arguments,
        stdin=stdin,
        stdout=asyncio.subprocess.PIPE if quiet else None,
        stderr=errors,
        start_new_session=True,
    )


async def _stop(process: asyncio.subprocess.Process) -> None:
    """Ask a program to end, and wait until it has."""
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    await process.wait()


async def _told(*command: str, typed: str = "") -> str:
    """Run a command to its end, with a line typed into it; return what it printed."""
    pipe = asyncio.subprocess.PIPE
    process = await _start(*command, stdin=pipe, quiet=True, errors=pipe)
    out, errors = await process.communicate(f"{typed}\n".encode())
    if process.returncode != 0:
        reason = f"{' '.join(command[:2])}: {errors.decode(errors='replace').strip()}"
        raise StartError(reason)
    return out.decode().strip()


class Server:
    """The demo's server; it can be stopped, and started again where it was."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.url = ""
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it, and wait until it serves."""
        port = self.url.rpartition(":")[2] or "0"
        self.data.mkdir(parents=True, exist_ok=True)
        log = self.data / "server.log"
        with log.open("ab") as errors:
            process = await _start(
                *("scantrail-server", "serve", "--data", str(self.data)),
                *("--port", port),
                stdin=asyncio.subprocess.DEVNULL,
                quiet=True,
                errors=errors,
            )
        self._process = process
        said = b"" if process.stdout is None else await process.stdout.readline()
        if not said:
            reason = f"the server did not start; {log} says why"
            raise StartError(reason)
        self.url = said.decode().strip()

    async def stop(self) -> None:
        """Stop it, if it runs."""
        if self._process is not None:
            await _stop(self._process)


class _Status(msgspec.Struct):
    """What the demo needs of ``scantrail-station status --json``."""

    saved: int
    waiting: int


class Station:
    """The demo's station, which takes its scans from a pipe."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it."""
        self._process = await _start(
            *("scantrail-station", "run", "--data", str(self.data)),
            *("--scanner", "terminal", "--drain"),
            stdin=asyncio.subprocess.PIPE,
        )

    async def scan(self, line: bytes) -> None:
        """Hand over one scan, as a terminal scanner would."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.write(line.rstrip(b"\r\n") + b"\n")
            await self._process.stdin.drain()

    async def status(self) -> _Status:
        """Ask the station how far it is."""
        command = ("scantrail-station", "status", "--data", str(self.data), "--json")
        return msgspec.json.decode(await _told(*command), type=_Status)

    async def settled(self, *, waiting: int | None = None) -> _Status:
        """Wait until nothing more is being saved, and as many lines wait as asked."""
        before = None
        async with asyncio.timeout(_PATIENCE):
            while True:
                status = await self.status()
                if status == before and waiting in (None, status.waiting):
                    return status
                before = status
                await asyncio.sleep(_PAUSE)

    async def end(self) -> int:
        """Tell it that no more scans come; wait until all are acknowledged."""
        if self._process is None or self._process.stdin is None:
            return 1
        self._process.stdin.close()
        return await self._process.wait()

    async def stop(self) -> None:
        """Stop it, if it runs."""
        if self._process is not None:
            await _stop(self._process)


async def _typed() -> AsyncIterator[bytes]:
    """Read standard input line by line, without keeping the program from ending."""
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[bytes] = asyncio.Queue()
    # unbuffered: a thread that waits in sys.stdin holds a lock that Python's end needs
    stdin = io.FileIO(sys.stdin.fileno(), closefd=False)

    def read_lines() -> None:
        for line in iter(stdin.readline, b""):
            loop.call_soon_threadsafe(lines.put_nowait, line)
        loop.call_soon_threadsafe(lines.put_nowait, b"")

    threading.Thread(target=read_lines, daemon=True).start()
    while line := await lines.get():
        yield line


async def _scan_all(station: Station) -> None:
    async for line in _typed():
        await station.scan(line)


async def _scan_offline(station: Station, server: Server) -> None:
    """Scan everything; the server is away for the second half."""
    lines = [line async for line in _typed()]
    half = len(lines) // 2
    for line in lines[:half]:
        await station.scan(line)
    await station.settled(waiting=0)
    await server.stop()
    say("-- the server is stopped; scanning goes on --")
    for line in lines[half:]:
        await station.scan(line)
    status = await station.settled()
    say(f"-- {status.waiting} lines wait, safe at the station; the server is back --")
    await server.start()


async def _join(server: Server, station: Station) -> str:
    """Let the station join, and return a key for asking."""
    folder = str(server.data)
    key = await _told("scantrail-server", "key", "--data", folder, "--scope", "admin")
    os.environ.update(SCANTRAIL_SERVER=server.url, SCANTRAIL_KEY=key)
    code = await _told(
        "scantrail-server", "station-code", "DEMO", "--location", "DOCK-1"
    )
    await _told(
        "scantrail-station", "join", server.url, code, "--data", str(station.data)
    )
    return key


async def _person(server: Server) -> str:
    """Let somebody sign in at the server's pages, and return the password."""
    password = secrets.token_urlsafe(9)
    await _told(
        *("scantrail-server", "person", "add", _PERSON),
        *("--role", "administrator", "--data", str(server.data)),
        typed=password,
    )
    return password


async def _show(server: Server, key: str) -> None:
    """Show where everything is that was not simulated."""
    page = ItemPage(items=[])
    async with Client(server.url, key) as client:
        query = {"limit": "1000"}
        while True:
            some = await client.get("/v1/items", ItemPage, query)
            page.items += [one for one in some.items if f"-{MARK}-" not in one.item]
            if some.cursor is None or len(page.items) >= _MOST_SHOWN:
                break
            query["cursor"] = some.cursor
    say()
    for line in found(page) if page.items else ["No item was scanned."]:
        say(line)


async def _live(server: Server, key: str, speed: float) -> None:
    """Let a simulated warehouse live beside the station, until cancelled."""
    async with Client(server.url, key) as admin:
        living = Living(admin, server.url, seed=_SEED, speed=speed)
        try:
            await living.begin()
            await living.go_on()
        except ScantrailError as error:
            say(f"-- the simulated warehouse has ended: {described(error)} --")
        finally:
            await living.close()


@asynccontextmanager
async def _beside(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Do something beside the block, and no longer than it lasts."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _demo(data: Path, *, offline: bool, speed: float) -> int:
    server, station = Server(data / "server"), Station(data / "station")
    async with AsyncExitStack() as stack:
        stack.push_async_callback(server.stop)
        await server.start()
        stack.push_async_callback(station.stop)
        key = await _join(server, station)
        say(f"console  {server.url}  (open it in a browser on this machine)")
        say(f"sign in  as {_PERSON}, password {await _person(server)}")
        say(f"data     {data}")
        say(f"ask      {_BIN}/scantrail trace P-1 --server {server.url} --key {key}")
        if speed:
            await stack.enter_async_context(_beside(_live(server, key, speed)))
            say(f"around   {_AROUND.format(speed)}")
        say()
        if sys.stdin.isatty():
            say(_HOW)
        await station.start()
        await (_scan_offline(station, server) if offline else _scan_all(station))
        status = await station.end()
        if status == 0:
            await _show(server, key)
        return status


async def _until_interrupted(data: Path, *, offline: bool, speed: float) -> int:
    demo = asyncio.ensure_future(_demo(data, offline=offline, speed=speed))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, demo.cancel)
    try:
        return await demo
    except asyncio.CancelledError:
        say(f"\nEnded. What was saved stays in {data}.")
        return 0


def _speed(text: str) -> float:
    speed = float(text)
    if not 0 <= speed <= _FASTEST:
        reason = f"a number from 0 to {_FASTEST} is needed"
        raise argparse.ArgumentTypeError(reason)
    return speed


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; return 0 when all that was scanned is at the server."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--data", type=Path, help="where to keep everything")
    parser.add_argument(
        "--offline", action="store_true", help="stop the server half-way through"
    )
    parser.add_argument(
        "--speed",
        type=_speed,
        default=os.environ.get("DEMO_SPEED", "4"),
        metavar="N",
        help="how many times as fast the simulated warehouse around it lives; 0: there "
        "is none, as where scans are piped in (4, or DEMO_SPEED)",
    )
    options = parser.parse_args(arguments)
    around = sys.stdin.isatty() and not options.offline
    speed = options.speed if around else 0.0
    data = options.data or Path("demo-data") / strftime("%Y-%m-%dT%H-%M-%S")
    try:
        return asyncio.run(
            _until_interrupted(data, offline=options.offline, speed=speed)
        )
    except ScantrailError as error:
        print(f"demo: {described(error)}", file=sys.stderr)  # noqa: T201
    except TimeoutError:
        text = f"demo: a step took more than {_PATIENCE} s; see {data}"
        print(text, file=sys.stderr)  # noqa: T201
    return 1


if __name__ == "__main__":
    sys.exit(main())
