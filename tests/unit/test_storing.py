"""Which store the settings ask for, and what is said where it cannot be had."""

import sys
from pathlib import Path

import pytest

from server.config import StoreSettings
from server.now import now
from server.site import DEFAULT
from server.storing import address, opened
from shared.errors import StartError

URL = "postgresql://scantrail@/scans?host=/nowhere"


def test_the_password_comes_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("p&ss word\n")
    with_file = StoreSettings(url=URL, password_file=str(file))
    assert address(with_file) == f"{URL}&password=p%26ss%20word"
    assert address(StoreSettings(url=URL)) == URL


async def test_where_no_database_answers_it_says_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("secret")
    settings = StoreSettings(url=URL, password_file=str(file))
    with pytest.raises(StartError, match="Start PostgreSQL, or correct") as error:
        await opened(settings, tmp_path, now, DEFAULT)
    assert "secret" not in str(error.value)


async def test_without_the_driver_it_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "server.store.postgres.store", None)
    with pytest.raises(StartError, match=r"scantrail\[postgres\]"):
        await opened(StoreSettings(url=URL), tmp_path, now, DEFAULT)
