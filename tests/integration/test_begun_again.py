"""A store that is closed and opened again, as by a restart of the server."""

from pathlib import Path

from server.store import ExceptionQuery
from server.store.sqlite import SqliteStore
from tests.contracts.storing import NOW, joined


async def test_what_is_over_is_there_once_however_often_it_begins_again(
    tmp_path: Path,
) -> None:
    path, over = tmp_path / "scantrail.db", ExceptionQuery(open=False)
    store = await SqliteStore.open(path, lambda: NOW)
    log = await joined(store, "DOCK-1")
    log.write("pick", item="P", location="X", operator="B-1")
    log.write("accept", 3_000, item="P", location="Y", operator="B-2")
    await log.send()
    for seconds in (3_100, 3_200):
        await store.close()
        log.store = store = await SqliteStore.open(path, lambda: NOW)
        log.write("store", seconds, item="P", location="Y")
        await log.send()
        assert [one.code for one in await store.exceptions(over)] == ["handoff_overdue"]
    await store.close()
