"""Somebody changes what answers are computed from, and the lines stay (F-59)."""

import asyncio
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from server.backup import DATABASE
from server.site import DEFAULT
from server.store.again import differences
from server.store.audit import opened, report
from server.verify import Finding
from shared.lines import Line, encode
from shared.moments import SECOND, to_text
from tests.faults.server_scenes import NOW, Sender, joined, serving
from tests.programs import BIN, PATIENCE

_TOLD: tuple[dict[str, object], ...] = (
    {"action": "receive", "item": "P-1", "location": "L-1"},
    {"action": "receive", "item": "P-2", "location": "L-1"},
    {"action": "pack", "item": "P-1", "container": "C-1", "location": "L-1"},
    {"action": "pick", "item": "P-3", "location": "L-2", "operator": "B-1"},
    {"action": "count", "location": "L-1", "items": ("P-2", "P-9")},
    {"action": "expect", "item": "P-2", "container": "T-1"},
    {"action": "claim", "item": "P-2", "status": "lost", "reason": "nowhere"},
    {"action": "note", "location": "L-1", "title": "The first place"},
    {"action": "receive", "item": "P-4", "location": "L-3"},
)

CHANGES = (
    "UPDATE item SET location = 'L-9' WHERE key = 'P-2'",
    "UPDATE item SET status = 'shipped' WHERE key = 'P-3'",
    "UPDATE item SET gone = 1 WHERE key = 'P-2'",
    "UPDATE item SET latest = latest + 1 WHERE key = 'P-2'",
    "UPDATE item SET state = zeroblob(9) WHERE key = 'P-2'",
    "UPDATE item SET state = (SELECT state FROM item WHERE key = 'P-3')",
    "UPDATE item SET heard = x'9111' WHERE key = 'P-2'",
    "INSERT INTO heard SELECT id, 1, x'910a' FROM item WHERE key = 'P-2'",
    "DELETE FROM item WHERE key = 'P-1'",
    "DELETE FROM exception",
    "UPDATE exception SET since = since + 1",
    "DELETE FROM counted",
    "DELETE FROM expected",
    "INSERT INTO expected VALUES ('T-1', 'P-3')",
    "DELETE FROM voided",
    "INSERT INTO voided SELECT name, 2, 0, name || ':9' FROM log",
    "DELETE FROM said",
    "UPDATE said SET key = 'P-9'",
    "UPDATE line SET quarantined = 'no reason' WHERE seq = 1",
)


class Writer(Sender):
    """A station that tells of all that answers are made of."""

    def __init__(self) -> None:
        super().__init__(0, 1)
        drafts = [*_TOLD, {"action": "void", "voids": f"{self.log}:{len(_TOLD)}"}]
        self.rewrite(
            [
                encode(
                    Line(
                        seq=seq,
                        at=to_text(NOW - (100 - seq) * SECOND),
                        **draft,  # type: ignore[arg-type]
                    )
                )
                for seq, draft in enumerate(drafts, 1)
            ]
        )


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kept")

    async def fill() -> None:
        writer = Writer()
        async with serving(folder) as store:
            await joined(store, writer, writer.secret)
            station = await store.station(writer.secret)
            assert station is not None
            receipt = await store.append(station, writer.delivery(0, len(writer.lines)))
            assert receipt.quarantined == []

    asyncio.run(fill())
    return folder / DATABASE


def _differences(path: Path) -> list[Finding]:
    return asyncio.run(differences(path, DEFAULT, lambda: NOW))


def test_f59_answers_that_follow_from_the_lines_are_found_sound(kept: Path) -> None:
    assert _differences(kept) == []


@pytest.mark.parametrize("change", CHANGES)
def test_f59_a_change_of_what_answers_are_made_of_is_found(
    kept: Path, tmp_path: Path, change: str
) -> None:
    path = tmp_path / DATABASE
    shutil.copy(kept, path)
    with closing(sqlite3.connect(path)) as database, database:
        assert database.execute(change).rowcount > 0
    with opened(path) as database:
        assert report(database, {}).findings == []  # the lines are as they were
    assert _differences(path)


def test_f59_verify_compares_answers_when_asked_to(kept: Path, tmp_path: Path) -> None:
    shutil.copy(kept, tmp_path / DATABASE)
    verify = (BIN / "scantrail-server", "verify", "--answers", "--data", tmp_path)
    assert subprocess.run(verify, check=False, timeout=PATIENCE).returncode == 0
    with closing(sqlite3.connect(tmp_path / DATABASE)) as database, database:
        database.execute(CHANGES[0])
    done = subprocess.run(verify, check=False, timeout=PATIENCE, capture_output=True)
    assert done.returncode != 0
    assert "in item, " in done.stdout.decode()
