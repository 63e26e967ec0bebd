"""The sentences of exceptions in the language of a page."""

import re
from collections.abc import Callable, Mapping

from markupsafe import Markup, escape

from server.console.shown import shown
from server.console.words import Words
from server.sentences import read, scan
from shared.moments import span, to_moment

__all__ = ["Bare", "When", "put", "spoken"]

_AGAIN = re.compile(r"(?P<first>.*) It happened (?P<times>\d+) times\.", re.DOTALL)
_HOUR, _MINUTE = 3600, 60

When = Callable[[int], object]
Bare = Callable[[str, str], object]


def spoken(
    code: str,
    text: str,
    words: Words,
    when: When,
    bare: Bare,
    *,
    past: bool = False,
) -> Markup:
    """Say a sentence of an exception in another language; as it is, if it is unknown.

    Args:
        code: The exception's.
        text: The sentence, in English.
        words: The language.
        when: Writes a moment.
        bare: Writes what was read from a label or said by a person: what it is of
            (item, container, place, who, load), and the text.
        past: It is said of a past moment.
    """
    again = _AGAIN.fullmatch(text)
    found = read(code, text if again is None else again["first"])
    if found is None:
        return escape(shown(text))
    name, values = found
    table = "sentence_then" if past and words.has("sentence_then", name) else "sentence"
    sentence = put(f"{table}.{name}", values, words, when, bare)
    if again is None:
        return sentence
    return sentence + " " + words("sentence.again", times=again["times"])


def put(
    name: str, values: Mapping[str, str], words: Words, when: When, bare: Bare
) -> Markup:
    """Put values, as sentences of exceptions have them, into a text of the console."""
    writes = _writers(words, when, bare)
    said = {
        key: writes[key](value) if key in writes else bare(key, value)
        for key, value in values.items()
    }
    return words(name, **said)


def _writers(
    words: Words, when: When, bare: Bare
) -> Mapping[str, Callable[[str], object]]:
    """Return how each kind of value is written that is no text of a label."""

    def status(text: str) -> str:
        return shown(words.named("status", text))

    def action(text: str) -> str:
        return shown(words.named("action", text))

    def scanned(text: str) -> Markup:
        parts = scan(text)
        time = when(_moment(parts.pop("time")))
        said = {name: bare(name, value) for name, value in parts.items()}
        return words(f"scan.{'_'.join(sorted(said)) or 'time'}", time=time, **said)

    return {
        "time": lambda text: when(_moment(text)),
        "scan": scanned,
        "span": _span,
        "status": status,
        "claimed": status,
        "action": action,
        "actions": lambda text: ", ".join(map(action, text.split(" or "))),
    }


def _span(text: str) -> str:
    number, unit = text.split()
    return span(int(number) * (_HOUR if unit.startswith("hour") else _MINUTE))


def _moment(text: str) -> int:
    return to_moment(text.removesuffix(" UTC").replace(" ", "T") + "Z")
