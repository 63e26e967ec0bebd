"""Whether a password is too easy to guess. The only module that imports zxcvbn.

Guesses are counted as those who guess do it: the 30,000 most usual passwords of those
that were lost elsewhere, words, names, dates, rows of keys, repeats, and the words of
the place, with what is usually put between and behind them. Source: D. Wheeler,
"zxcvbn: Low-Budget Password Strength Estimation", USENIX Security 2016.
"""

import re
from collections.abc import Iterable
from functools import cache
from socket import gethostname

__all__ = ["PLACE", "is_easy"]

PLACE = ("scantrail", "scan", "scanner", "station", "warehouse", "password", "lager")
"""Words of the place, that each guesser tries first; the machine's name beside them."""

_FEWEST = 10**8
"""Guesses that a password has to withstand: an hour at many a site that was lost."""
_LOOKED_AT = 64
"""Characters that are looked at; who has more is as safe as by these."""


def is_easy(password: str, words: Iterable[str] = ()) -> bool:
    """Whether somebody would guess it, who knows ``words`` of its person."""
    from zxcvbn import zxcvbn  # noqa: PLC0415 # its lists are long: when it is asked

    known = [*PLACE, *_parts(gethostname()), *(p for w in words for p in _parts(w))]
    found = zxcvbn(password[:_LOOKED_AT], user_inputs=known)
    return bool(found["guesses"] < _FEWEST)


@cache
def _parts(word: str) -> tuple[str, ...]:
    whole = word.lower()
    parts = [part for part in re.split(r"[\W_]+", whole) if len(part) > 1]
    return whole, "".join(parts), *parts
