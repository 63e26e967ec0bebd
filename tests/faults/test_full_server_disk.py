"""The server's disk takes no more (F-70).

A limit on the size of files stands for it: writes fail, and what is there is read.
"""

import resource
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.programs import Server, at_server, station, told, until


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    running = Server(tmp_path / "server")
    running.start()
    yield running
    running.stop()


def _limit(server: Server, size: int) -> None:
    assert server.process is not None
    _, hard = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (size, hard))


async def _ready(server: Server) -> int:
    async with aiohttp.ClientSession() as session:
        answer = await session.get(f"{server.url}/readyz")
        return answer.status


async def test_f70_a_full_disk_loses_nothing_and_reading_goes_on(
    server: Server, tmp_path: Path
) -> None:
    home = tmp_path / "station"
    server.join(home)
    key = told("scantrail-server", "key", "--data", str(server.data), "--scope=read")
    ask = ("scantrail", "trace", "P-0", "--server", server.url, "--key", key)
    with station(home) as one:
        one.scan("P-0")
        until(lambda: one.status().acked == 1, "the first is acknowledged")
        _limit(server, 0)
        assert await _ready(server) == 503
        for number in range(1, 6):
            one.scan(f"P-{number}")
        until(lambda: one.confirmed() == 6, "all are confirmed")
        until(lambda: "disk" in one.status().problem, "the station says why")
        assert one.status().waiting == 5
        assert told(*ask).startswith("P-0 is seen")
        assert len(at_server(server.data)) == 1
        _limit(server, resource.RLIM_INFINITY)
        until(lambda: one.status().waiting == 0, "all are acknowledged")
        assert await _ready(server) == 200
    assert [seq for seq, _ in at_server(server.data)] == list(range(1, 7))
