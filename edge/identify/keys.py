"""What a scanner that imitates a keyboard is set to, from the keys it pressed. Pure.

The keys are decoded under every layout, by the decoder that the station will use. What
makes the sheet's codes read right is what the scanner is set to.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise, product
from typing import NamedTuple

import msgspec

from edge.doctor import Finding, Severity
from edge.identify import Analysis, Code
from edge.identify.match import (
    GS,
    Match,
    found,
    of_identifiers,
    of_separator,
    of_sheet,
    recognise,
    still_to_scan,
)
from edge.scanners.decoded import Decoded
from edge.scanners.keyboard import EV_KEY, Event, KeyboardDecoder
from edge.scanners.keymap import FUNCTION_KEYS, LAYOUTS, End, KeyboardSettings
from edge.scanners.keystate import MUTE, KeyState
from edge.terminal_display import clean

__all__ = ["analyse", "shown"]

_ENDS: tuple[End, ...] = ("enter", "keypad_enter", "tab", "linefeed")
_BETWEEN = 400_000  # microseconds; a person needs longer to aim at the next code
_LEAST_GAP = 120
_CERTAIN = 2


class _Trial(NamedTuple):
    """Settings, and what the keys are under them."""

    settings: KeyboardSettings
    reads: list[Decoded]
    matches: list[Match | None]

    @property
    def score(self) -> tuple[int, int]:
        """How many different codes read right, and how many are known at all."""
        right = {
            match.number
            for read, match in zip(self.reads, self.matches, strict=True)
            if match and match.exact and not read.damage
        }
        return len(right), sum(match is not None for match in self.matches)


def analyse(path: str, events: Sequence[Event], *, caps_light: bool) -> Analysis:
    """Return what the keys tell of a scanner.

    Args:
        path: The device, as the settings are to name it.
        events: Everything that came since it was opened.
        caps_light: Whether its Caps Lock light was on then.
    """
    base = _timed(KeyboardSettings(path=path, terminators=_ENDS), events)
    trials = list(_trials(base, events, caps_light=caps_light))
    best = max(trials, key=lambda trial: trial.score)
    alike = sorted({t.settings.layout for t in trials if t.score == best.score})
    matches = [match for match in best.matches if match]
    ends = _ends(best.settings, events)
    settings = msgspec.structs.replace(
        best.settings, terminators=_terminators(ends, best.reads)
    )
    return Analysis(
        codes=tuple(map(_code, best.reads, best.matches)),
        rest=still_to_scan(matches),
        findings=(
            *of_sheet(matches, _others(best)),
            *_layout(best, alike),
            *_case(matches, best.settings, caps_light=caps_light),
            *_separator(matches, best.settings),
            *_end(settings, best.reads),
            *of_identifiers(matches),
            *_around(matches),
            *_speed(settings, base),
            *_damage(best.reads),
        ),
        settings=settings,
    )


def shown(events: Iterable[Event]) -> str:
    """Write the keys that were pressed, as numbers; + before one that is held."""
    return " ".join(
        f"+{event.code}" if event.code in MUTE else str(event.code)
        for event in events
        if event.type == EV_KEY and event.value == 1
    )


# --- trying ---------------------------------------------------------------------------


def _trials(
    base: KeyboardSettings, events: Sequence[Event], *, caps_light: bool
) -> Iterator[_Trial]:
    policies = ("refuse", "apply", "ignore") if caps_light else ("refuse",)
    for layout, dead, caps in product(LAYOUTS, ("compose", "plain"), policies):
        settings = msgspec.structs.replace(
            base, layout=layout, dead_keys=dead, caps_lock=caps
        )
        first = _try(settings, events, caps_light=caps_light)
        yield first
        for separator in _separators(first, events):
            changed = msgspec.structs.replace(settings, separator=separator)
            yield _try(changed, events, caps_light=caps_light)


def _try(
    settings: KeyboardSettings, events: Sequence[Event], *, caps_light: bool
) -> _Trial:
    decoder = KeyboardDecoder(settings, caps_light=caps_light)
    reads = [read for event in events for read in decoder.feed(event)]
    reads += decoder.silence()
    matches = [recognise(read.raw.decode("latin-1")) for read in reads]
    return _Trial(settings, reads, matches)


def _separators(trial: _Trial, events: Iterable[Event]) -> Iterator[str]:
    """Yield what may stand for GS: a function key, or the character in its place."""
    names = {code: name for name, code in FUNCTION_KEYS.items()}
    pressed = {event.code for event in events if event.type == EV_KEY}
    yield from (names[code] for code in sorted(pressed & names.keys()))
    instead = {match.separator for match in trial.matches if match}
    yield from sorted(one for one in instead if len(one) == 1 and one not in (GS, "\r"))


def _timed(settings: KeyboardSettings, events: Sequence[Event]) -> KeyboardSettings:
    """Set the times so that a scanner as slow as this one is understood."""
    times = [event.time for event in events if event.type == EV_KEY]
    gaps = [b - a for a, b in pairwise(times) if 0 < b - a < _BETWEEN]
    longest = max(gaps, default=0) // 1000
    presses = [e.time for e in events if e.type == EV_KEY and e.value == 1]
    between = [b - a for a, b in pairwise(presses) if b - a < _BETWEEN]
    mean = sum(between) / max(1, len(between)) / 1000
    slow = settings.slow_ms if mean < settings.slow_ms / 1.5 else round(mean * 2)
    gap = max(_LEAST_GAP, longest * 2)
    return msgspec.structs.replace(settings, idle_gap_ms=gap, slow_ms=slow)


def _ends(settings: KeyboardSettings, events: Iterable[Event]) -> set[End]:
    """Return the keys that could have ended a read, of all that were pressed."""
    state, ends = KeyState(settings), set()
    for event in events:
        if event.type == EV_KEY and event.value == 1:
            ends.add(state.press(event.code).end)
        elif event.type == EV_KEY and event.value == 0:
            state.release(event.code)
    return {end for end in ends if end}


def _terminators(ends: set[End], reads: Iterable[Decoded]) -> tuple[End, ...]:
    default = KeyboardSettings(path="/").terminators
    if all(read.unterminated for read in reads):
        return ()
    if ends <= {*default, "linefeed"} and ends & set(default):
        return default
    return tuple(end for end in _ENDS if end in ends)


# --- telling --------------------------------------------------------------------------


def _code(read: Decoded, match: Match | None) -> Code:
    right = match is not None and match.exact and not read.damage
    text = read.raw.decode("latin-1")
    return Code(text=text, number=match.number if match and right else 0)


def _others(trial: _Trial) -> list[str]:
    return [
        read.raw.decode("latin-1")
        for read, match in zip(trial.reads, trial.matches, strict=True)
        if match is None and read.raw
    ]


def _layout(best: _Trial, alike: Sequence[str]) -> Iterator[Finding]:
    right, _ = best.score
    if not right:
        yield found(
            Severity.WRONG,
            "no code of the sheet reads right under any layout that is known here",
            "set the scanner to the keyboard of the United States, or better to USB "
            f"HID POS or USB serial; known are {', '.join(LAYOUTS)}",
        )
    elif len(alike) == 1:
        yield found(Severity.FINE, f"the keyboard layout is {alike[0]}")
    else:
        yield found(
            Severity.NOTE,
            f"the keyboard layout may be {' or '.join(alike)}",
            "scan the codes 1, 2 and 3, which tell layouts apart",
        )


def _case(
    matches: Iterable[Match], settings: KeyboardSettings, *, caps_light: bool
) -> Iterator[Finding]:
    if any(match.swapped for match in matches):
        yield found(
            Severity.WRONG,
            "upper and lower case are exchanged",
            "switch off Caps Lock, or 'invert case', in the scanner's settings",
        )
    elif caps_light:
        yield found(
            Severity.WARNING,
            f"Caps Lock is on; the settings say what to make of it "
            f"(caps_lock = {settings.caps_lock})",
            "better switch it off, and scan the sheet again",
        )


def _separator(
    matches: Sequence[Match], settings: KeyboardSettings
) -> Iterator[Finding]:
    if settings.separator == KeyboardSettings(path="/").separator:
        yield from of_separator(matches)
    else:
        form = clean(settings.separator)
        text = f"the GS1 separator arrives as {form}; the settings say so"
        yield found(Severity.NOTE, text)


def _end(settings: KeyboardSettings, reads: Sequence[Decoded]) -> Iterator[Finding]:
    if not reads:
        return
    if not settings.terminators:
        yield found(
            Severity.WARNING,
            "no key ends a code; only silence does, which takes longer",
            "set a suffix of CR (Enter) in the scanner",
        )
    elif any(read.unterminated for read in reads):
        text = "some codes came without the key that ends the others"
        yield found(Severity.WARNING, text, "scan the sheet again")
    else:
        ends = ", ".join(settings.terminators)
        yield found(Severity.FINE, f"a code ends with one of: {ends}")


def _around(matches: Iterable[Match]) -> Iterator[Finding]:
    extras = {
        (match.before, match.after)
        for match in matches
        if (match.before or match.after) and not match.before.startswith("]")
    }
    for before, after in sorted(extras):
        yield found(
            Severity.WRONG,
            f"the scanner adds {clean(before) or 'nothing'} before, and "
            f"{clean(after) or 'nothing'} behind a code",
            "switch off prefix and suffix in the scanner, but for CR (Enter)",
        )


def _speed(settings: KeyboardSettings, base: KeyboardSettings) -> Iterator[Finding]:
    default = KeyboardSettings(path=base.path)
    if settings.slow_ms != default.slow_ms or settings.idle_gap_ms != _LEAST_GAP:
        yield found(
            Severity.WARNING,
            "it types as slowly as a person; the settings allow for it",
            "set the delay between characters (inter-character delay) to none",
        )


def _damage(reads: Iterable[Decoded]) -> Iterator[Finding]:
    for damage in sorted({r.damage for r in reads if r.damage}, key=str):
        yield found(Severity.WARNING, f"a code was damaged: {damage.value}")
