"""A server that came back from a backup, and took new scans before all were back."""

from pathlib import Path

import pytest

from server import backup
from shared.moments import SECOND
from tests.serving import NOW, Log, Service, serving


async def _answer(service: Service, item: str) -> tuple[object, object]:
    _, said = await service.call("GET", f"/v1/items/{item}")
    return said["status"], said["status_event"]


async def test_f56_what_comes_back_late_finds_its_place_among_what_is_new(
    tmp_path: Path,
) -> None:
    data, again = tmp_path / "data", tmp_path / "again"
    data.mkdir()
    async with serving(data) as service:
        away, here = Log(service, "AWAY"), Log(service, "HERE")
        await away.join()
        await here.join()
        away.add("P-1")
        await away.send(0)
        made, _ = backup.make(data, tmp_path / "backups", NOW)
        service.now += SECOND
        away.add("P-1", action="store")
        away.add("P-2", action="store")
        assert (await away.send(1))[1]["acked"] == 3
    backup.restore(made, again, NOW + 2 * SECOND)
    async with serving(again) as service:
        service.now = NOW + 3 * SECOND
        away.service = here.service = service
        here.add("P-1", action="pick")
        assert (await here.send(0))[0] == 200
        assert await _answer(service, "P-1") == ("picked", f"{here.id}:1")
        status, said = await away.send(3)
        assert (status, said["acked"], said["head"]) == (409, 1, away.heads[1].hex())
        assert (await away.send(1))[1]["acked"] == 3
        assert await _answer(service, "P-1") == ("picked", f"{here.id}:1")
        assert await _answer(service, "P-2") == ("stored", f"{away.id}:3")
        _, said = await service.call("GET", "/v1/items/P-1/events")
        events = said["events"]
        assert isinstance(events, list)
        assert [event["event"] for event in events] == [
            f"{away.id}:1",
            f"{away.id}:2",
            f"{here.id}:1",
        ]
        assert (await here.send(1))[1]["acked"] == 1


@pytest.mark.parametrize("inside", [".", "backups", "../data/backups"])
async def test_a_backup_in_the_folder_that_it_is_of_is_refused(
    tmp_path: Path, inside: str
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    async with serving(data):
        before = sorted(path.name for path in data.iterdir())
        with pytest.raises(backup.BackupError, match="folder elsewhere"):
            backup.make(data, data / inside, NOW)
        assert sorted(path.name for path in data.iterdir()) == before
