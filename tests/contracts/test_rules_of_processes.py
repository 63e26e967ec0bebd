"""Two processes on one PostgreSQL, with other rules: only one set of them writes."""

import asyncio

import pytest

from server.problems import ProblemError
from server.site import DEFAULT, Site
from server.store import ItemQuery
from server.store.postgres.store import PostgresStore
from shared.actions import ACTIONS, Action
from shared.errors import StartError
from shared.moments import SECOND
from tests.contracts.storing import NOW, joined
from tests.postgres import Postgres

OTHER = Site(
    actions={**ACTIONS, "weigh": Action(status="weighed")}, handoff=3_600 * SECOND
)
ITEMS = 50


async def _opened(url: str, site: Site) -> PostgresStore:
    return await PostgresStore.open(url, lambda: NOW, site, clock=lambda: NOW)


async def _statuses(store: PostgresStore) -> dict[str, str | None]:
    found = await store.items(ItemQuery(limit=1_000))
    return {one.item: one.status for one in found.answers}


async def test_new_rules_make_answers_anew_and_old_ones_write_no_more(
    database: Postgres,
) -> None:
    url = database.database()
    old = await _opened(url, DEFAULT)
    log = await joined(old, "SCALE")
    for number in range(ITEMS):
        log.write("receive", number, item=f"P-{number}", location="DOCK")
        log.write("weigh", number, item=f"P-{number}", location="SCALE")
    assert len((await log.send()).quarantined) == ITEMS
    assert set((await _statuses(old)).values()) == {"received"}

    new = await _opened(url, OTHER)
    async with asyncio.timeout(60):
        await new._remaking.finished()
    assert new.remaking() is None
    assert set((await _statuses(new)).values()) == {"weighed"}
    assert all(entry.quarantined is None for entry in await new.events(0, 1_000))

    log.write("receive", 2_000, item="P-0", location="DOCK")
    with pytest.raises(ProblemError) as refused:
        await log.send(after=2 * ITEMS)
    assert refused.value.problem.status == 503
    assert refused.value.retry_after
    with pytest.raises(ProblemError):
        await old.ready()
    await new.ready()
    log.store = new
    assert (await log.send(after=2 * ITEMS)).appended == 1
    assert (await new.item("P-0")).status == "received"
    await old.close()
    with pytest.raises(StartError, match="newer rules"):  # as after a crash
        await _opened(url, DEFAULT)
    again = await _opened(url, OTHER)
    assert again._remaking._task is None, "it was made anew though it was there"
    await again.close()
    await new.close()

    back = await _opened(url, DEFAULT)  # nobody is left who serves by the newer ones
    async with asyncio.timeout(60):
        await back._remaking.finished()
    assert (await back.item("P-1")).status == "received"
    with pytest.raises(StartError, match="newer rules"):
        await _opened(url, OTHER)
    await back.close()
