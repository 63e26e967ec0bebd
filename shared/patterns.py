r"""A site's own codes, as patterns: what else counts as an item there.

::

    #       a digit                    BOX####       BOX0042
    @       a letter                   @@-#{4,6}     WH-00123
    ?       a letter or a digit        T?{8}         T4K9QZ1M2
    {3}     the one before, 3 times    \#            the sign # itself
    {4,6}   4 to 6 times

Everything else stands for itself, and case matters. There is no alternative, no group
and no "as many as there are", and matching walks over the text once with the set of
places where the pattern can be: no pattern can make a station hang.
"""

import re
from collections.abc import Callable, Iterator

import msgspec

from shared.errors import ConfigError

__all__ = ["LONGEST", "Pattern", "compile_pattern"]

LONGEST = 128
"""Characters in a pattern, and in a text that a pattern can match, at most."""

_Sort = Callable[[str], bool]


def _digit(char: str) -> bool:
    return "0" <= char <= "9"


def _letter(char: str) -> bool:
    return "A" <= char <= "Z" or "a" <= char <= "z"


def _either(char: str) -> bool:
    return _digit(char) or _letter(char)


_SORTS: dict[str, _Sort] = {"#": _digit, "@": _letter, "?": _either}
_TOKEN = re.compile(
    r"(?:\\(?P<sign>.)|(?P<sort>[#@?])|(?P<plain>[^\\{}]))"
    r"(?:\{(?P<least>[0-9]{1,3})(?:,(?P<most>[0-9]{1,3}))?\})?"
)


class _Step(msgspec.Struct, frozen=True):
    """One character: what it must be, and whether it may be left out."""

    fits: _Sort
    optional: bool


class Pattern(msgspec.Struct, frozen=True):
    """A compiled pattern; ``source`` is how it was written."""

    source: str
    steps: tuple[_Step, ...]

    def matches(self, text: str) -> bool:
        """Say whether the pattern stands for all of the text."""
        if not 0 < len(text) <= LONGEST:
            return False
        places = self._skip({0})
        for char in text:
            steps = self.steps
            places = self._skip(
                {at + 1 for at in places if at < len(steps) and steps[at].fits(char)}
            )
        return len(self.steps) in places

    def _skip(self, places: set[int]) -> set[int]:
        """Add the places that are reached by leaving out optional characters."""
        reached = set(places)
        for at, step in enumerate(self.steps):
            if at in reached and step.optional:
                reached.add(at + 1)
        return reached


def compile_pattern(source: str) -> Pattern:
    """Read a pattern.

    Raises:
        ConfigError: It is none: empty, too long, or not in the signs above.
    """
    if len(source) > LONGEST:
        raise _wrong(source, f"it is longer than {LONGEST} characters")
    steps = tuple(_steps(source))
    if not 0 < len(steps) <= LONGEST or all(step.optional for step in steps):
        raise _wrong(source, f"it must stand for 1 to {LONGEST} characters")
    return Pattern(source, steps)


def _steps(source: str) -> Iterator[_Step]:
    at = 0
    while at < len(source):
        match = _TOKEN.match(source, at)
        if match is None:
            reason = f"character {at + 1}, {source[at]!r}, is not expected there"
            raise _wrong(source, reason)
        yield from _repeated(source, match)
        at = match.end()


def _repeated(source: str, match: re.Match[str]) -> Iterator[_Step]:
    least = int(match["least"] or 1)
    most = int(match["most"] or least)
    if not least <= most <= LONGEST:
        reason = f"{{{least},{most}}} needs a smaller number first, and at most "
        raise _wrong(source, f"{reason}{LONGEST}")
    fits = _SORTS.get(match["sort"] or "") or (match["sign"] or match["plain"]).__eq__
    for index in range(most):
        yield _Step(fits, optional=index >= least)


def _wrong(source: str, reason: str) -> ConfigError:
    return ConfigError(f"pattern {source[:LONGEST]!r}", 0, reason)
