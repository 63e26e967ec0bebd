"""What is kept of one-time codes: by whom, for which name, and what became of each."""

import pytest

from server.store import Code, Invitation, Joining, Store
from server.store.newcomers import KEPT
from tests.contracts.storing import NOW

HOUR = 3_600_000_000


async def _made(store: Store, name: str, code: bytes, expires: int = 0) -> None:
    await store.invite(
        Invitation(
            name=name,
            location="DOCK-1",
            kind="station",
            code_hash=code,
            expires=expires or NOW + HOUR,
            by="Ada",
        )
    )


async def test_it_is_known_who_made_a_code_and_whether_it_was_used(
    store: Store,
) -> None:
    await _made(store, "DOCK-1", b"one")
    await _made(store, "DOCK-2", b"two")
    await store.enrol(
        Joining(
            code_hash=b"one",
            log="3f2b0b54-6a9c-4c5e-9a34-0d0c6f2d7d11",
            token_hash=b"t",
            public_key=b"",
            version="",
            host="",
        )
    )
    unused = Code(
        station="DOCK-2",
        kind="station",
        location="DOCK-1",
        replaces=False,
        by="Ada",
        made=NOW,
        expires=NOW + HOUR,
        used=None,
    )
    found = {one.station: one for one in await store.codes(10)}
    assert found["DOCK-2"] == unused
    assert found["DOCK-1"].used == NOW
    assert len(await store.codes(1)) == 1


@pytest.mark.parametrize(("ago", "kept"), [(0, 2), (KEPT, 2), (KEPT + 1, 1)])
async def test_a_code_is_remembered_for_three_months_behind_its_end(
    store: Store, ago: int, kept: int
) -> None:
    await _made(store, "OLD", b"old", NOW - ago)
    await _made(store, "NEW", b"new")
    assert len(await store.codes(10)) == kept


async def test_the_servers_own_joining_is_no_code_that_somebody_made(
    store: Store,
) -> None:
    await _made(store, "(server)", b"own")
    assert await store.codes(10) == []
