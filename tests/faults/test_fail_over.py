"""A primary that is killed, a standby that takes over, and what is there after that."""

import asyncio
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest

from server.problems import ProblemError
from server.store import View
from server.store.postgres.store import PostgresStore
from shared.protocol import ProblemType
from tests.contracts.storing import NOW, Log, joined
from tests.postgres import USER, Postgres, why_not
from tests.programs import until

STATIONS, LINES, KILLED_AFTER = 4, 60, 60


@contextmanager
def _pair() -> Iterator[tuple[Postgres, Postgres]]:
    """Run a primary, and a standby without which nothing is committed."""
    folders = [Path(tempfile.mkdtemp(prefix="scantrail-pg-")) for _ in range(2)]
    primary, standby = (Postgres(folder, durable=False) for folder in folders)
    try:
        primary.make()
        primary.start()
        standby.follow(primary)
        standby.start()
        primary.tell("postgres", "ALTER SYSTEM SET synchronous_standby_names = '*'")
        primary.tell("postgres", "SELECT pg_reload_conf()")
        asked = "SELECT sync_state FROM pg_stat_replication"
        until(lambda: primary.tell("postgres", asked) == "sync", "it follows")
        yield primary, standby
    finally:
        for one in (primary, standby):
            one.stop(signal.SIGQUIT)
            shutil.rmtree(one.folder)


async def _write(log: Log, number: int, done: list[str]) -> None:
    """Send lines one by one, as a station does: again until they are acknowledged."""
    for seq in range(LINES):
        event = log.write("see", seq, item=f"P-{number}-{seq % 3}", location=f"L-{seq}")
        while True:
            try:
                receipt = await log.send(after=seq)
            except ProblemError as problem:
                if problem.problem.type != ProblemType.STORAGE:
                    raise
                await asyncio.sleep(0.1)
            else:
                assert receipt.acked == seq + 1
                done.append(event)
                break


async def test_f71_nothing_that_was_acknowledged_is_lost_by_a_fail_over() -> None:
    reason = why_not()
    if reason:
        pytest.skip(reason)
    with _pair() as (primary, standby):
        hosts = ",".join(quote(str(one.folder), safe="") for one in (primary, standby))
        name = primary.database().partition("@/")[2].partition("?")[0]
        url = (
            f"postgresql://{USER}@/{name}?host={hosts}&target_session_attrs=read-write"
        )
        stores = [
            await PostgresStore.open(url, lambda: NOW, clock=lambda: NOW)
            for _ in range(2)
        ]
        try:
            await _fail_over(stores, primary, standby)
        finally:
            for store in stores:
                await store.close()


async def _fail_over(
    stores: list[PostgresStore], primary: Postgres, standby: Postgres
) -> None:
    logs = [await joined(stores[n % 2], f"S-{n}") for n in range(STATIONS)]
    done: list[str] = []
    async with asyncio.timeout(120):
        writing = [
            asyncio.create_task(_write(log, n, done)) for n, log in enumerate(logs)
        ]
        while len(done) < KILLED_AFTER:  # noqa: ASYNC110 # what is written is counted
            await asyncio.sleep(0.01)
        await asyncio.to_thread(primary.stop, signal.SIGKILL)
        before = len(done)
        await asyncio.to_thread(standby.promote)
        await asyncio.gather(*writing)
    assert KILLED_AFTER <= before < STATIONS * LINES, "it was not killed meanwhile"
    for store in stores:
        found = await store.events(0, 1_000)
        assert [entry.position for entry in found] == list(range(1, len(done) + 1))
        assert sorted(entry.event for entry in found) == sorted(done)
        async with asyncio.timeout(20):
            while store.present() < found[-1].received:  # noqa: ASYNC110 # hears of it soon
                await asyncio.sleep(0.01)
        for number, log in enumerate(logs):
            mine = [e.line for e in found if e.event.startswith(log.name)]
            assert mine == log.lines
            for item in (f"P-{number}-{rest}" for rest in range(3)):
                now = store.present()
                told = await store.tell(item, View(at=now, known_at=now))
                assert (await store.item(item)).location == told.world.location(item)
