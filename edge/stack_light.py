"""A stack light on GPIO pins: one rhythm for each tone, on one lamp each. Pure.

Lamps are told apart by where they are and how they flash, not by their colour alone: a
steady lamp is good, two flashes ask for attention, four quick ones are an error, and
all lamps in turn mean that the item is wanted.
"""

from collections.abc import Mapping, Sequence
from enum import Enum
from types import MappingProxyType
from typing import Annotated, NamedTuple

import msgspec

from edge.feedback import Tone

__all__ = ["RHYTHMS", "Lamp", "LightSettings", "Phase", "rhythm"]

_Pin = Annotated[int, msgspec.Meta(ge=0, le=1023)]


class Lamp(Enum):
    """A lamp of the stack."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"


class Phase(NamedTuple):
    """Which lamps are on, and for how many seconds."""

    lamps: frozenset[Lamp]
    seconds: float


class LightSettings(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """A stack light on this machine's GPIO pins; needs the extra gpio.

    Attributes:
        chip: The GPIO chip, as in /dev/gpiochip0 (`gpiodetect` lists them). Empty: no
            stack light.
        green: The pin of the lamp for good, as `gpioinfo` counts it.
        amber: The pin of the lamp for attention.
        red: The pin of the lamp for errors.
        active_low: Whether a lamp is on while its pin is low.
    """

    chip: str = ""
    green: _Pin | None = None
    amber: _Pin | None = None
    red: _Pin | None = None
    active_low: bool = False

    def __post_init__(self) -> None:
        """Refuse a light that cannot tell tones apart.

        Raises:
            ValueError: What is wrong.
        """
        pins = list(self.pins.values())
        if len(set(pins)) != len(pins):
            reason = "two lamps have the same pin"
            raise ValueError(reason)
        if self.chip and not pins:
            reason = "chip is set, and no lamp has a pin: green, amber or red"
            raise ValueError(reason)

    @property
    def pins(self) -> Mapping[Lamp, int]:
        """The pins of the lamps that there are."""
        pins = {Lamp.GREEN: self.green, Lamp.AMBER: self.amber, Lamp.RED: self.red}
        return {lamp: pin for lamp, pin in pins.items() if pin is not None}


_OFF: frozenset[Lamp] = frozenset()


def _flashes(lamp: Lamp, times: int, seconds: float) -> tuple[Phase, ...]:
    flash = (Phase(frozenset({lamp}), seconds), Phase(_OFF, seconds))
    return flash * times


RHYTHMS: Mapping[Tone, Sequence[Phase]] = MappingProxyType(
    {
        Tone.GOOD: (Phase(frozenset({Lamp.GREEN}), 0.8),),
        Tone.ATTENTION: _flashes(Lamp.AMBER, 2, 0.25),
        Tone.ERROR: _flashes(Lamp.RED, 4, 0.12),
        Tone.WANTED: tuple(
            phase for _ in range(3) for lamp in Lamp for phase in _flashes(lamp, 1, 0.1)
        ),
    }
)
"""What a tone looks like; after it all lamps are off."""


def rhythm(tone: Tone, there: Mapping[Lamp, int]) -> Sequence[Phase]:
    """Return what a tone looks like on the lamps that there are.

    A lamp that is not there is stood in for by the first that is: the rhythm stays.
    """
    first = next(iter(there), None)
    if first is None:
        return ()
    return [
        Phase(
            frozenset(lamp if lamp in there else first for lamp in phase.lamps),
            phase.seconds,
        )
        for phase in RHYTHMS[tone]
    ]
