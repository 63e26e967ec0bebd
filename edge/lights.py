"""Plays the rhythm of the latest tone on a stack light; the latest alone counts."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Protocol

from edge.feedback import Tone
from edge.stack_light import Lamp, LightSettings, rhythm

__all__ = ["Light", "Pins"]


class Pins(Protocol):
    """The pins of a light, as ``edge.gpio`` has them."""

    def set(self, on: frozenset[Lamp]) -> None:
        """Switch these lamps on, and the others off."""


Open = Callable[[LightSettings], AbstractContextManager[Pins]]


class Light:
    """A stack light. It never holds up a scan: it only ever remembers the last tone."""

    def __init__(self, settings: LightSettings, open_pins: Open) -> None:
        """Prepare it; ``run`` does it."""
        self._settings = settings
        self._open = open_pins
        self._tone: Tone | None = None
        self._called = asyncio.Event()

    def call(self, tone: Tone) -> None:
        """Show a tone, in place of the one that is being shown."""
        self._tone = tone
        self._called.set()

    async def run(self) -> None:
        """Show tones until cancelled; the lamps are off before and after.

        Raises:
            OSError: The pins cannot be used.
        """
        with self._open(self._settings) as pins:
            try:
                while True:
                    await self._called.wait()
                    self._called.clear()
                    if self._tone is not None:
                        await self._play(pins, self._settings.pins, self._tone)
            finally:
                pins.set(frozenset())

    async def _play(self, pins: Pins, there: Mapping[Lamp, int], tone: Tone) -> None:
        for phase in rhythm(tone, there):
            pins.set(phase.lamps)
            if await self._called_within(phase.seconds):
                return
        pins.set(frozenset())

    async def _called_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._called.wait()
        except TimeoutError:
            return False
        return True
