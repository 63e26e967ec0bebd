"""What is worked out once for all who ask, and when it is worked out anew."""

import asyncio
from contextlib import suppress

import pytest

from server.console import workshop
from server.console.workshop import Progress, Workshop


@pytest.mark.parametrize(
    ("then", "anew"), [(1_000, False), (1_100, False), (1_101, True)]
)
async def test_what_cost_much_is_worked_out_again_once_there_is_a_tenth_more(
    monkeypatch: pytest.MonkeyPatch, then: int, *, anew: bool
) -> None:
    monkeypatch.setattr(workshop, "QUICK", -1)
    monkeypatch.setattr(workshop, "SHARE", 1_000_000_000)
    position, made = 1_000, list[int]()

    async def work(_: Progress) -> int:
        made.append(position)
        await asyncio.sleep(0.001)
        return position

    bench = Workshop(lambda: position)
    running = asyncio.create_task(bench.run())
    try:
        assert (await bench.ask("key", work)).value == position
        position = then
        assert (await bench.ask("key", work)).value == (then if anew else 1_000)
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
    assert made == ([1_000, then] if anew else [1_000])
