"""The own logs of servers: each signs its own, whatever folders they have."""

from collections.abc import Sequence
from pathlib import Path

from server.own_log import OwnLog
from server.store import Store, own_name
from shared.hosts import HostLine
from tests.contracts.storing import NOW

SEVERAL = [own_name(number) for number in (1, 2, 3)]


async def opened(store: Store, path: Path, names: Sequence[str] = SEVERAL) -> OwnLog:
    return await OwnLog.open(store, path, lambda: NOW, names)


async def note(store: Store, own: OwnLog) -> tuple[str, str]:
    """Write a note, and return which log it is in, and whose that is."""
    (name,) = await own.write([HostLine(seq=1, at="", action="note", text="x")])
    entry = await store.event(name)
    assert entry is not None
    return name.rpartition(":")[0], entry.station


async def test_servers_with_folders_of_their_own_have_names_of_their_own(
    store: Store, tmp_path: Path
) -> None:
    first = await note(store, await opened(store, tmp_path / "a"))
    second = await note(store, await opened(store, tmp_path / "b"))
    assert (first[1], second[1]) == (SEVERAL[0], SEVERAL[1])
    # each goes on with its own after it was started again
    assert await note(store, await opened(store, tmp_path / "a")) == first
    assert await note(store, await opened(store, tmp_path / "b")) == second


async def test_whose_name_another_has_begins_a_log_that_it_can_sign(
    store: Store, tmp_path: Path
) -> None:
    only = SEVERAL[:1]
    former = await note(store, await opened(store, tmp_path / "a", only))
    other = await note(store, await opened(store, tmp_path / "b", only))
    again = await note(store, await opened(store, tmp_path / "a", only))
    assert len({former[0], other[0], again[0]}) == 3
    assert {former[1], other[1], again[1]} == set(only)
