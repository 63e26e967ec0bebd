"""The files of the languages: found, read, and held to what English says."""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from edge.texts.wording import VALUES, Texts
from shared.errors import ConfigError
from shared.settings_file import read_settings
from shared.texts import misfits, unlike

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
    """Yield what a language lacks of another, has more than it, or cannot say."""
    mine = dict(_tables(texts))
    yield from unlike(mine, dict(_tables(pattern)), _OPEN)
    for name, table in mine.items():
        for key, text in table.items():
            yield from misfits(f"[{name}] {key}", text, VALUES.get(name, frozenset()))


def _tables(texts: Texts) -> Iterator[tuple[str, Mapping[str, str]]]:
    document: dict[str, Any] = msgspec.to_builtins(texts)
    return ((name, table) for name, table in document.items() if name != "name")
