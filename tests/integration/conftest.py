"""A server in this process, and a station that has joined it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.serving import Log, Service, serving


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    async with serving(tmp_path) as found:
        yield found


@pytest.fixture
async def log(service: Service) -> Log:
    found = Log(service, "DOCK")
    await found.join()
    return found
