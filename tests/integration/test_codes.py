"""An administrator sees afterwards who let which station in."""

import subprocess
from pathlib import Path

import msgspec
import pytest

from shared.api.stations import CodePage
from shared.moments import SECOND
from tests.programs import Server, told
from tests.serving import Log, Service


async def test_codes_are_told_of_with_their_maker_and_what_became_of_them(
    service: Service,
) -> None:
    made: dict[str, object] = {}
    for name in ("USED-1", "LEFT-1", "LATE-1"):
        _, made = await service.call("POST", "/v1/stations", json={"name": name})
        if name == "USED-1":
            await Log(service, name).enrol(str(made["code"]))
        if name == "LEFT-1":
            service.now += 86_400 * SECOND
    status, found = await service.call("GET", "/v1/codes?limit=9")
    assert status == 200
    codes = msgspec.convert(found, CodePage).codes
    states = {one.station: one.state for one in codes}
    assert states == {"USED-1": "used", "LEFT-1": "expired", "LATE-1": "open"}
    assert codes[0].station == "LATE-1"
    assert {one.made_by for one in codes} == {"a admin key"}
    assert str(made["code"]) not in str(found)
    assert (await service.call("GET", "/v1/codes", "supervise"))[0] == 403


def test_the_command_lists_codes_and_never_shows_one(tmp_path: Path) -> None:
    server = Server(tmp_path / "server")
    server.start()
    try:
        data = ("--data", str(server.data))
        key = told("scantrail-server", "key", *data, "--scope=admin", "--name=Ada")
        ask = (*("scantrail-server", "station-code"), f"--server={server.url}")
        code = told(*ask, f"--key={key}", "DOCK-7")
        listed = told(*ask, f"--key={key}", "--list")
        for words in ("DOCK-7", "open", "by Ada"):
            assert words in listed
        assert code not in listed
        with pytest.raises(subprocess.CalledProcessError) as refused:
            told(*ask, f"--key={key}")
        assert b"which station?" in refused.value.stderr
    finally:
        server.stop()
