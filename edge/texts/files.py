"""The files of the languages: found, read, and held to what English says."""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any

import msgspec

from edge.texts.wording import VALUES, Texts
from shared.errors import ConfigError
from shared.settings_file import read_settings

__all__ = ["LANGUAGES", "read_texts"]

_SHIPPED = Path(__file__).parent
_FIRST = "en"
_SETTING = "display.language"
_OPEN = frozenset({"done", "modes", "reasons"})
"""The tables to which a site adds its own names."""

LANGUAGES = tuple(sorted(path.stem for path in _SHIPPED.glob("*.toml")))
"""The languages that come with the station."""


def read_texts(language: str, own: Path | None = None) -> Texts:
    """Return the texts of a language.

    Args:
        language: The name of a file, without its ``.toml``.
        own: A folder with files of the site's own, which go before those shipped.

    Raises:
        ConfigError: There is no such language, or its file lacks something, has
            something that is not known, or is no TOML; with what to do.
    """
    mine = own / f"{language}.toml" if own else None
    if mine is not None and mine.is_file():
        return _checked(mine)
    if language not in LANGUAGES:
        listed = ", ".join(LANGUAGES)
        where = f", or put {mine.name} into {own}" if mine else ""
        reason = f"there are no texts for {language!r}; there are {listed}{where}"
        raise ConfigError(_SETTING, 0, reason)
    return _shipped(language)


@cache
def _shipped(language: str) -> Texts:
    return _checked(_SHIPPED / f"{language}.toml")


def _checked(path: Path) -> Texts:
    texts = read_settings(path, Texts)
    pattern = texts if path == _SHIPPED / f"{_FIRST}.toml" else _shipped(_FIRST)
    for problem in _problems(texts, pattern):
        raise ConfigError(str(path), 0, problem)
    return texts


def _problems(texts: Texts, pattern: Texts) -> Iterator[str]:
    """Yield what a language lacks of another, or has more than it."""
    for name, table in _tables(pattern):
        mine = dict(_tables(texts))[name]
        yield from (f"[{name}] lacks {key}" for key in table if key not in mine)
        extra = [key for key in mine if key not in table and name not in _OPEN]
        yield from (f"[{name}] {key} is not known; is it spelt right?" for key in extra)
        for key, text in mine.items():
            yield from _misfits(f"[{name}] {key}", text, VALUES.get(name, frozenset()))


def _tables(texts: Texts) -> Iterator[tuple[str, Mapping[str, str]]]:
    document: dict[str, Any] = msgspec.to_builtins(texts)
    return ((name, table) for name, table in document.items() if name != "name")


def _misfits(where: str, text: str, values: frozenset[str]) -> Iterator[str]:
    """Yield the values that a template speaks of and cannot have."""
    if not text.strip():
        yield f"{where} is empty"
    try:
        unknown = _spoken_of(text) - values
    except ValueError as error:
        yield f"{where}: {error}; write a brace that is only text as {{{{ or }}}}"
    else:
        listed = ", ".join(f"{{{name}}}" for name in sorted(values)) or "no values"
        for name in sorted(unknown):
            yield f"{where} speaks of {{{name}}}; it can speak of: {listed}"


def _spoken_of(template: str) -> frozenset[str]:
    """Return the values that a template speaks of.

    Raises:
        ValueError: It is no template of plain names.
    """
    parsed = list(Formatter().parse(template))
    if any(spec or conversion for _, _, spec, conversion in parsed):
        reason = "a value is a name in braces, and nothing else"
        raise ValueError(reason)
    return frozenset(name for _, name, _, _ in parsed if name is not None)
