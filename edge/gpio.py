"""GPIO pins through the kernel's character device; the only importer of gpiod."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from edge.stack_light import Lamp, LightSettings
from shared.errors import StartError

__all__ = ["open_pins"]

_MISSING = (
    "a stack light is configured, and the library for GPIO pins is not there; "
    "install the extra: pip install 'scantrail[gpio]'"
)


class _Pins:
    def __init__(self, settings: LightSettings, put: Callable[..., None]) -> None:
        self._pins = settings.pins
        self._put = put

    def set(self, on: frozenset[Lamp]) -> None:
        """Switch these lamps on, and the others off."""
        self._put({pin: lamp in on for lamp, pin in self._pins.items()})


@contextmanager
def open_pins(settings: LightSettings) -> Iterator[_Pins]:
    """Take the pins of a light for as long as they are used.

    Raises:
        StartError: The library is not there.
        OSError: There is no such chip or pin, it is in use, or not for this user.
    """
    try:
        import gpiod  # noqa: PLC0415 - an extra that few stations need
        from gpiod.line import Direction, Value  # noqa: PLC0415
    except ImportError as error:
        raise StartError(_MISSING) from error
    line = gpiod.LineSettings(
        direction=Direction.OUTPUT, active_low=settings.active_low
    )
    pins = tuple(settings.pins.values())
    try:
        request = gpiod.request_lines(
            settings.chip, consumer="scantrail", config={pins: line}
        )
    except OSError as error:
        raise OSError(error.errno, error.strerror, settings.chip) from error
    values = {True: Value.ACTIVE, False: Value.INACTIVE}
    with request:
        yield _Pins(
            settings,
            lambda pins: request.set_values({p: values[on] for p, on in pins.items()}),
        )
