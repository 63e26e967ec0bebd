"""A site's table is tried on a server's data before it is applied."""

from pathlib import Path

import pytest

from server.cli import main
from shared.lines import Line, encode
from shared.moments import to_text
from tests.serving import Log, serving

TABLE = """
[actions.receive]
status = "in house"
[actions.wash]
like = "store"
status = "washed"
"""


async def _served(folder: Path) -> None:
    async with serving(folder) as service:
        log = Log(service, "dock")
        await log.join()
        log.add("P-1", "P-2")
        log.add("P-3", action="see")
        log.add("P-4", action="wash")
        dirty = Line(
            seq=5,
            at=to_text(service.now),
            action="receive",
            item="P\x1b[1m",
            location="X",
        )
        log.put(encode(dirty))
        status, answer = await log.send(0)
        assert (status, answer["acked"]) == (200, 5)


async def test_a_table_says_what_it_would_change_and_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await _served(tmp_path)
    settings = tmp_path / "server.toml"
    settings.write_text(TABLE)
    before = (tmp_path / "scantrail.db").read_bytes()
    ask = ["actions", "--config", str(settings), "--data", str(tmp_path), "--check"]
    assert main(ask) == 0
    told = capsys.readouterr()
    assert "P-1\tstatus received -> in house\n" in told.out
    assert "P-4\tknown False -> True; status - -> washed" in told.out
    assert "P-3" not in told.out
    assert "\x1b" not in told.out
    assert told.err.startswith("4 of ")
    assert "1 lines that are quarantined would be understood" in told.err
    assert main([*ask, "--applied", str(settings)]) == 0
    again = capsys.readouterr()
    assert "P-1" not in again.out
    assert (tmp_path / "scantrail.db").read_bytes() == before


def test_the_table_is_printed_and_a_mistake_is_told_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = tmp_path / "server.toml"
    settings.write_text(TABLE)
    assert main(["actions", "--config", str(settings)]) == 0
    assert "| `wash` | washed |" in capsys.readouterr().out
    settings.write_text(TABLE + "[actions.see]\nstatus = 'seen'\n")
    assert main(["actions", "--config", str(settings)]) == 1
    assert f"{settings}:8: " in capsys.readouterr().err
    nowhere = ["actions", "--data", str(tmp_path / "none"), "--check"]
    assert main(nowhere) == 1
    assert "cannot be read" in capsys.readouterr().err
