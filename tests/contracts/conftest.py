"""The stores that the contract tests run on."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.store import Store
from server.store.postgres.store import PostgresStore
from server.store.sqlite import SqliteStore
from tests.contracts.storing import NOW


@pytest.fixture(params=["sqlite", "postgres"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    found: Store
    if request.param == "sqlite":
        found = await SqliteStore.open(tmp_path / "scantrail.db", lambda: NOW)
    else:
        url = request.getfixturevalue("database").database()
        found = await PostgresStore.open(url, lambda: NOW, clock=lambda: NOW)
    yield found
    await found.close()
