"""Texts of barcodes and of people, as they can be shown. Pure.

Markup is the template's business, which escapes all. What is left is what a browser
would act on all the same: controls, and characters that turn the direction of a line.
"""

import unicodedata

__all__ = ["FEW", "MOST", "SILENT", "shown", "signed"]

MOST = 300
"""Characters of a text on a page, unless its own page shows all of it."""
FEW = 2
"""Stations that have not told all and are named at once; more are unfolded."""
SILENT = 5
"""Stations that are named of those that have not told all; the rest is counted."""


def shown(text: str, most: int = MOST) -> str:
    """Return a text with nothing unseen in it, cut to length."""
    seen = "".join(_visible(character) for character in text[: most + 1])
    return seen if len(text) <= most else f"{seen[: most - 1]}…"


def signed(value: float, digits: int) -> str:
    """Write a number with its sign; what comes to nothing has none."""
    text = f"{value:+.{digits}f}"
    return text if float(text) else text[1:]


def _visible(character: str) -> str:
    if unicodedata.category(character)[0] != "C" and character not in "\u2028\u2029":
        return character
    return f"\\u{{{ord(character):x}}}"
