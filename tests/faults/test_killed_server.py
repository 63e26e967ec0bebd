"""A server that is killed again and again, while a station scans and sends."""

import random
import signal
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from shared.lines import decode
from tests.programs import (
    Server,
    Station,
    at_server,
    station,
    told,
    until,
    unwritten_at_server,
)

AHEAD = 10
CYCLES = 8
SEED = 20_260


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    running = Server(tmp_path / "server")
    running.start()
    yield running
    running.stop()


def test_f69_a_server_killed_at_any_moment_keeps_what_it_acknowledged(
    server: Server, tmp_path: Path
) -> None:
    chance = random.Random(SEED)  # noqa: S311 # a seed that repeats, no secret
    codes: list[str] = []
    home, kills = tmp_path / "station", 0
    server.join(home)
    with station(home) as one:
        for cycle in range(CYCLES):
            lifetime = time.monotonic() + chance.uniform(0.001, 0.3)
            while time.monotonic() < lifetime:
                if len(codes) - one.confirmed() < AHEAD:
                    codes.append(f"P-{cycle}-{len(codes)}")
                    one.scan(codes[-1])
            acked = one.status().acked
            server.stop(signal.SIGKILL)
            kills += 1
            server.start()
            kept = len(at_server(server.data))
            assert kept >= acked, f"seed {SEED}, cycle {cycle}"
        until(lambda: one.confirmed() == len(codes), "all are confirmed")
        until(lambda: one.status().waiting == 0, "all are acknowledged")
    assert kills == CYCLES
    lines = at_server(server.data)
    assert [seq for seq, _ in lines] == list(range(1, len(codes) + 1))
    assert [decode(data).raw for _, data in lines] == codes


def test_f69_a_server_killed_before_it_wrote_its_answers_gives_them_all(
    server: Server, tmp_path: Path
) -> None:
    key = told("scantrail-server", "key", "--data", str(server.data), "--scope=read")
    codes = [f"P-{number}" for number in range(CYCLES)]
    home, unwritten = tmp_path / "station", 0
    server.join(home)
    with station(home) as one:
        for number, code in enumerate(codes, 1):
            one.scan(code)
            until(partial(_acked, one, number), "it is acknowledged")
            server.stop(signal.SIGKILL)
            unwritten += unwritten_at_server(server.data) > 0
            server.start()
    assert unwritten, "each time the answers were written before the server was killed"
    ask = ("--server", server.url, "--key", key)
    found = told("scantrail", "find", "P-", *ask)
    for code in codes:
        assert code in found
        assert told("scantrail", "trace", code, *ask).startswith(f"{code} is seen")


def _acked(one: Station, count: int) -> bool:
    return one.status().acked == count
