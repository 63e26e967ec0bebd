"""Key events in, reads out: the decoder of a scanner that imitates a keyboard. Pure.

An event is what ``struct input_event`` of ``linux/input.h`` holds. ``KeyState`` says
what each key means; this module says where a read begins and ends, and whether to
trust it. What may lack characters comes out damaged, never shorter and undamaged.
"""

import math
from typing import Final, NamedTuple

from edge.scanners.decoded import Damage, Decoded
from edge.scanners.keymap import KeyboardSettings
from edge.scanners.keystate import MUTE, KeyState, Stroke

__all__ = ["Event", "KeyboardDecoder", "KeyboardSettings"]

EV_SYN: Final = 0
EV_KEY: Final = 1
EV_LED: Final = 17
SYN_REPORT: Final = 0
SYN_DROPPED: Final = 3
LED_CAPSL: Final = 1
_RELEASE, _PRESS = 0, 1  # 2 is auto-repeat, which means nothing here

_TAIL = 1_000_000
"""Microseconds. A terminated read that begins so soon after one that silence ended is
the rest of it: a scanner sends terminators always, or never."""

_FEW = 3
"""Keys. Silence after fewer is a person's finger, not a scanner's code."""


class Event(NamedTuple):
    """One input event; ``time`` is in microseconds of any clock that never jumps."""

    time: int
    type: int
    code: int
    value: int


class _Progress:
    """A read in progress; ``last`` is unknown right after events were lost."""

    def __init__(self, time: int | None, damage: Damage | None = None) -> None:
        self.data = bytearray()
        self.damage = damage
        self.first = time
        self.last = time
        self.presses = 0
        self.latest = time

    def pause(self, time: int) -> int:
        """Return the microseconds since the latest key."""
        return 0 if self.last is None else time - self.last

    def moved(self, time: int) -> None:
        """Take note of a key's going down or up."""
        self.last = time

    def pressed(self, time: int) -> None:
        """Take note of a key that gives a character or ends the read."""
        self.presses += 1
        self.first = time if self.first is None else self.first
        self.latest = self.last = time

    def mean_pause(self) -> float:
        """Return the mean microseconds from key to key."""
        if self.first is None or self.latest is None or self.presses < 2:  # noqa: PLR2004 - a pause has two ends
            return 0.0
        return (self.latest - self.first) / (self.presses - 1)

    def hurt(self, damage: Damage | None) -> None:
        """Keep the first damage."""
        self.damage = self.damage or damage

    def add(self, data: bytes, limit: int) -> None:
        """Take characters, up to the limit."""
        room = limit - len(self.data)
        self.data += data[:room]
        if len(data) > room:
            self.hurt(Damage.LONG)


class KeyboardDecoder:
    """One keyboard's events become reads; no input makes it raise.

    Args:
        settings: How the scanner types.
        caps_light: Whether its Caps Lock light was on when it was opened.
    """

    def __init__(self, settings: KeyboardSettings, *, caps_light: bool = False) -> None:
        self._settings = settings
        self._keys = KeyState(settings, caps_light=caps_light)
        self._read: _Progress | None = None
        self._skipping = False
        self._terminates = False
        self._was_cut = False
        self._ended_at: int | None = None

    def feed(self, event: Event) -> list[Decoded]:
        """Take one event; return the reads that it completes: none, one, or two."""
        time, kind, code, value = event
        if kind == EV_SYN:
            return self._syn(code)
        reads = self._overdue(time)
        if self._skipping:
            return reads
        if kind == EV_LED and code == LED_CAPSL:
            self._keys.light(on=bool(value))
        if kind == EV_KEY and value == _PRESS:
            reads += self._press(time, code)
        if kind == EV_KEY and value == _RELEASE:
            self._release(time, code)
        return reads

    def silence(self) -> list[Decoded]:
        """Hear that no event came for the idle gap."""
        self._skipping = False
        return self._finish(terminated=False)

    def gone(self) -> list[Decoded]:
        """Hear that the device has gone: what was in progress is damaged."""
        if self._read:
            self._read.hurt(Damage.GONE)
        return self._finish(terminated=False)

    def overrun(self) -> None:
        """Hear that events are missing before those that come next.

        What the kernel says as SYN_DROPPED: ignore until the next SYN_REPORT; all up
        to the next terminator, or silence, is one damaged read.
        """
        self._skipping = True
        self._keys.lost()
        self._read = self._read or _Progress(None)
        self._read.hurt(Damage.LOST)
        self._read.last = None

    def _syn(self, code: int) -> list[Decoded]:
        if code == SYN_DROPPED:
            self.overrun()
        elif code == SYN_REPORT:
            self._skipping = False
        return []

    def _overdue(self, time: int) -> list[Decoded]:
        """End the read in progress where this event comes too late to belong to it."""
        read = self._read
        if read is None or read.pause(time) <= self._settings.idle_gap_ms * 1000:
            return []
        return self._finish(terminated=False)

    def _release(self, time: int, code: int) -> None:
        stroke = self._keys.release(code)
        if self._read:
            self._read.moved(time)
            self._take(self._read, stroke)

    def _press(self, time: int, code: int) -> list[Decoded]:
        stroke = self._keys.press(code)
        if code in MUTE:
            if self._read:
                self._read.moved(time)
            return []
        ends = stroke.end in self._settings.terminators
        if self._read is None and (ends or self._echo(time, stroke)):
            return []
        read = self._read = self._read or _Progress(time)
        read.pressed(time)
        self._take(read, stroke, ends=ends)
        return self._finish(terminated=True) if ends else []

    def _echo(self, time: int, stroke: Stroke) -> bool:
        """Whether this is the LF of CR LF, the CR having ended the read."""
        if stroke.end != "linefeed" or not self._terminates:
            return False
        return self._since_end(time) <= self._settings.idle_gap_ms * 1000

    def _since_end(self, time: int | None) -> float:
        """Return the microseconds since the latest read ended; infinite if unknown."""
        if time is None or self._ended_at is None:
            return math.inf
        return time - self._ended_at

    def _take(self, read: _Progress, stroke: Stroke, *, ends: bool = False) -> None:
        data = stroke.before if ends else stroke.before + stroke.data
        read.add(data, self._settings.max_length)
        read.hurt(stroke.damage)

    def _finish(self, *, terminated: bool) -> list[Decoded]:
        read, self._read = self._read, None
        if read is None:
            return []
        self._take(read, self._keys.finish())
        cut = self._is_cut(read, terminated=terminated)
        read.hurt(Damage.CUT if cut else self._slow(read, terminated=terminated))
        self._was_cut, self._terminates = cut, terminated
        self._ended_at = read.last
        if not read.data and not read.damage:
            return []
        raw = bytes(read.data)
        return [Decoded(raw=raw, damage=read.damage, unterminated=not terminated)]

    def _slow(self, read: _Progress, *, terminated: bool) -> Damage | None:
        limit = self._settings.slow_ms
        few = not terminated and read.presses < _FEW
        slow = few or read.mean_pause() > limit * 1000
        return Damage.SLOW if limit and slow else None

    def _is_cut(self, read: _Progress, *, terminated: bool) -> bool:
        """Whether silence fell within a code: scanners send a terminator each time.

        Then the piece that has none lacks its end, and the next one its beginning.
        """
        soon = self._since_end(read.first) < _TAIL
        if terminated:
            return soon and not self._terminates
        return self._terminates or (soon and self._was_cut)
