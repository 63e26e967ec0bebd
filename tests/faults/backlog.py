"""A month's backlog, and many stations that come back at once, beside live scans.

The real server, over HTTP. One outbox with a long backlog is emptied by a station's own
sync, in a process of its own whose memory is measured; or many stations send what they
have at once. Beside them one station sends a scan twenty times a second, and waits for
each to be acknowledged: that is what is not to be held up.
"""

import asyncio
import time
from pathlib import Path
from typing import NamedTuple

import aiohttp

from edge.identity import load
from edge.outbox import Outbox
from edge.sync import Sync
from edge.uplink import Uplink
from server.keys import hashed
from tests.faults.checker import draft
from tests.faults.mutations import NAME
from tests.faults.server_scenes import Sender, joined, serving
from tests.programs import Server, Station, at_server, station

__all__ = ["Outcome", "backlog", "returning"]

_TOGETHER = 2_000
_LIVE_EVERY = 0.05  # seconds
_EACH = 200  # lines of each station that comes back
_TAKEN = 200
_NETWORK = 250  # stations of one part of 127.0.0.0/8


class Outcome(NamedTuple):
    """What was measured. Memory in MiB, latencies of live scans in milliseconds."""

    lines: int
    seconds: float
    station: int
    server: int
    live: int
    median: float
    p99: float
    worst: float
    lost: int


class _Live:
    """A station that scans one code after the other, and waits for each to be there."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self.took: list[float] = []
        self.enough = False

    async def run(self) -> None:
        """Scan and send until it is ``enough``."""
        box = await Outbox.open(self._home / NAME)
        me = load(self._home)
        assert me is not None
        try:
            async with Uplink(me) as link:
                sync = Sync(box, link)
                while not self.enough:
                    began = time.monotonic()
                    await box.append([draft(f"P-LIVE-{len(self.took)}")])
                    while box.waiting:  # noqa: ASYNC110 # it is what it waits for
                        await asyncio.sleep(await sync.step() or 0)
                    self.took.append(time.monotonic() - began)
                    await asyncio.sleep(_LIVE_EVERY)
        finally:
            await box.close()


def _most(pid: int) -> int:
    """Return the most memory that a process ever had, in MiB."""
    said = Path(f"/proc/{pid}/status").read_text()
    (line,) = (row for row in said.splitlines() if row.startswith("VmHWM"))
    return int(line.split()[1]) // 1024


def _outcome(
    server: Server, live: _Live, expected: int, began: float, station_: int
) -> Outcome:
    seconds = time.monotonic() - began
    assert server.process is not None
    memory = _most(server.process.pid)
    found = [data for _, data in at_server(server.data)]
    took = sorted(live.took)
    return Outcome(
        lines=expected,
        seconds=round(seconds, 1),
        station=station_,
        server=memory,
        live=len(took),
        median=round(1000 * took[len(took) // 2], 1),
        p99=round(1000 * took[len(took) * 99 // 100], 1),
        worst=round(1000 * took[-1], 1),
        lost=abs(expected + len(took) - len(set(found))),
    )


async def _fill(home: Path, lines: int) -> None:
    box = await Outbox.open(home / NAME)
    for first in range(box.last, lines, _TOGETHER):
        last = min(first + _TOGETHER, lines)
        await box.append([draft(f"P-{number}") for number in range(first, last)])
    await box.close()


async def backlog(folder: Path, lines: int) -> Outcome:
    """Empty an outbox with so many lines, while another station scans."""
    server, home, other = Server(folder / "server"), folder / "long", folder / "live"
    server.start()
    try:
        for one in (home, other):
            server.join(one)
        await _fill(home, lines)
        live, began = _Live(other), time.monotonic()
        scanning = asyncio.create_task(live.run())
        with station(home) as running:
            while await asyncio.to_thread(_waiting, running):  # noqa: ASYNC110
                await asyncio.sleep(1)
            memory = _most(running.process.pid)
        live.enough = True
        await scanning
        return _outcome(server, live, lines, began, memory)
    finally:
        server.stop()


def _waiting(running: Station) -> int:
    return running.status().waiting


async def returning(folder: Path, stations: int) -> Outcome:
    """Let so many stations send 200 lines each at once, while another one scans."""
    server, other = Server(folder / "server"), folder / "live"
    senders = [Sender(number, _EACH) for number in range(stations)]
    server.data.mkdir()
    async with serving(server.data) as store:
        for sender in senders:
            await joined(store, sender, hashed(sender.name))
    server.start()
    try:
        server.join(other)
        live, began = _Live(other), time.monotonic()
        scanning = asyncio.create_task(live.run())
        await asyncio.gather(*(_return(server.url, one) for one in senders))
        live.enough = True
        await scanning
        return _outcome(server, live, stations * _EACH, began, 0)
    finally:
        server.stop()


async def _return(url: str, sender: Sender) -> None:
    """Send all that a station has, from an address of its own."""
    network, number = divmod(int(sender.name.rpartition("-")[2]), _NETWORK)
    address = f"127.1.{network}.{number + 1}"
    connector = aiohttp.TCPConnector(local_addr=(address, 0))
    async with aiohttp.ClientSession(connector=connector) as session:
        after = 0
        while after < _EACH:
            last = min(after + _EACH // 4, _EACH)
            path = f"{url}/v1/logs/{sender.log}/lines?after={after}"
            one = sender.delivery(after, last)
            body = b"".join(line + b"\n" for line in one.lines)
            async with session.post(
                path, data=body, headers=sender.headers(one)
            ) as answer:
                if answer.status == _TAKEN:
                    after = last
                else:
                    await asyncio.sleep(float(answer.headers.get("Retry-After", 1)))
