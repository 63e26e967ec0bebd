"""The stack light: a rhythm for each tone, and a light that holds nothing up."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from edge.config import Config
from edge.feedback import Tone
from edge.gpio import open_pins
from edge.lights import Light
from edge.stack_light import RHYTHMS, Lamp, LightSettings, rhythm
from shared.errors import ConfigError, StartError
from shared.settings_file import parse_settings

ALL = LightSettings(chip="/dev/gpiochip9", green=17, amber=27, red=22)
OFF: frozenset[Lamp] = frozenset()


class Lamps:
    """Pins that remember what was on, and say so."""

    def __init__(self) -> None:
        self.seen: list[frozenset[Lamp]] = []
        self.opened = 0
        self.changed = asyncio.Event()

    @contextmanager
    def open(self, settings: LightSettings) -> Iterator["Lamps"]:
        del settings
        self.opened += 1
        yield self

    def set(self, on: frozenset[Lamp]) -> None:
        self.seen.append(on)
        self.changed.set()

    async def until(self, count: int) -> None:
        async with asyncio.timeout(10):
            while len(self.seen) < count:
                self.changed.clear()
                await self.changed.wait()


def test_every_tone_has_a_rhythm_of_its_own_whatever_the_lamps_are() -> None:
    assert set(RHYTHMS) == set(Tone)
    for there in (ALL.pins, {Lamp.RED: 1}, {Lamp.GREEN: 2, Lamp.AMBER: 3}):
        rhythms = [tuple(rhythm(tone, there)) for tone in Tone]
        assert len({tuple(p.seconds for p in one) for one in rhythms}) == len(Tone)
        for one in rhythms:
            assert {lamp for phase in one for lamp in phase.lamps} <= set(there)
            assert sum(phase.seconds for phase in one) < 2.5
    assert rhythm(Tone.GOOD, {}) == ()


async def test_a_tone_is_played_and_then_all_lamps_are_off() -> None:
    lamps = Lamps()
    light = Light(ALL, lamps.open)
    task = asyncio.create_task(light.run())
    light.call(Tone.ERROR)
    await lamps.until(9)
    task.cancel()
    await asyncio.wait([task])
    assert lamps.seen[:9] == [{Lamp.RED}, OFF] * 4 + [OFF]
    assert lamps.seen[-1] == OFF
    assert lamps.opened == 1


async def test_the_latest_tone_ends_the_one_before() -> None:
    lamps = Lamps()
    light = Light(ALL, lamps.open)
    task = asyncio.create_task(light.run())
    light.call(Tone.WANTED)
    await lamps.until(1)
    light.call(Tone.GOOD)
    await lamps.until(2)
    task.cancel()
    await asyncio.wait([task])
    assert lamps.seen == [{Lamp.GREEN}, {Lamp.GREEN}, OFF]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[light]\nchip = "/dev/gpiochip0"\n', "no lamp has a pin"),
        ('[light]\nchip = "x"\ngreen = 4\nred = 4\n', "the same pin"),
        ('[light]\nchip = "x"\ngreen = -1\n', "light.green"),
        ('[light]\nchip = "x"\nblue = 1\n', "blue"),
    ],
)
def test_a_light_that_cannot_be_is_refused(text: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        parse_settings(text, "station.toml", Config)


def test_without_the_library_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "gpiod", None)
    with pytest.raises(StartError, match=r"scantrail\[gpio\]"), open_pins(ALL):
        pass


def test_a_chip_that_is_not_there_is_an_error_of_the_system() -> None:
    with pytest.raises(OSError, match="gpiochip9"), open_pins(ALL):
        pass
