"""What was done at the machine comes into the server's own log."""

from collections.abc import Sequence
from pathlib import Path

from server.keys import Keys, Scope
from server.noted import note_act, take_acts
from shared.hosts import HostLine


async def test_what_was_done_is_written_once_in_its_order(tmp_path: Path) -> None:
    written: list[HostLine] = []

    async def write(lines: Sequence[HostLine]) -> None:
        written.extend(lines)

    assert await take_acts(tmp_path, write) == 0
    note_act(tmp_path, "second", "2026-01-02T00:00:00Z")
    note_act(tmp_path, "first\x1b\n", "2026-01-01T00:00:00Z")
    (tmp_path / "acts" / "0-bad.json").write_text("{")
    assert await take_acts(tmp_path, write) == 3
    assert [line.text for line in written] == ["first\x1b\n", "second"]
    assert all((line.by or "").endswith("on the server's machine") for line in written)
    assert written[0].reason == "at 2026-01-01T00:00:00Z"
    assert await take_acts(tmp_path, write) == 0
    assert [path.name for path in (tmp_path / "acts").iterdir()] == ["0-bad.unread"]


async def test_what_cannot_be_written_now_is_written_later(tmp_path: Path) -> None:
    note_act(tmp_path, "done", "2026-01-01T00:00:00Z")
    failed = 0

    async def full(_: Sequence[HostLine]) -> None:
        nonlocal failed
        failed += 1
        raise OSError

    try:
        await take_acts(tmp_path, full)
    except OSError:
        failed += 1
    assert failed == 2
    assert len(list((tmp_path / "acts").glob("*.json"))) == 1


def test_a_key_ends_at_its_time_or_never(tmp_path: Path) -> None:
    keys = Keys(tmp_path)
    ending = keys.create(Scope.READ, "", "", expires=100)
    staying = keys.create(Scope.READ, "")
    assert keys.find(ending, 99) is not None
    assert keys.find(ending, 100) is None
    assert keys.find(staying, 2**62) is not None
