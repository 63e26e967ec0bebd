"""The words of the console: a file for each language, held to what English says."""

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files

from markupsafe import Markup, escape

from shared.errors import ConfigError
from shared.texts import Tables, misfits, spoken_of, unlike

__all__ = ["LANGUAGES", "Words", "chosen", "words"]

_FIRST = "en"
_SETTING = "console.language"
_SHIPPED = files("server.console") / "texts"

LANGUAGES = tuple(
    sorted(
        path.name.removesuffix(".toml")
        for path in _SHIPPED.iterdir()
        if path.name.endswith(".toml")
    )
)
"""The languages that come with the server."""


class Words:
    """A language: sentences by table and key, with values put in."""

    def __init__(self, language: str, tables: Tables) -> None:
        self.language = language
        self._tables = tables

    def __call__(self, name: str, /, **values: object) -> Markup:
        """Return a text as markup; what is put into it is escaped."""
        table, _, key = name.partition(".")
        return Markup(escape(self._tables[table][key])).format_map(values)  # noqa: S704 # it is escaped

    def has(self, table: str, key: str) -> bool:
        """Whether there is a text of this name."""
        return key in self._tables[table]

    def named(self, table: str, key: str) -> str:
        """Return what something is called here; by its own name if it has no other."""
        return self._tables[table].get(key, key)


def _read(language: str) -> Tables:
    data = (_SHIPPED / f"{language}.toml").read_text("utf-8")
    found: Mapping[str, Mapping[str, str]] = tomllib.loads(data)
    return found


def _problems(mine: Tables, pattern: Tables) -> Iterator[str]:
    yield from unlike(mine, pattern)
    for name, table in mine.items():
        for key, text in table.items():
            values = spoken_of(pattern.get(name, {}).get(key, ""))
            yield from misfits(f"[{name}] {key}", text, values)


@cache
def words(language: str) -> Words:
    """Return a language that comes with the server.

    Raises:
        ConfigError: There is none, or it is not like the English one.
    """
    if language not in LANGUAGES:
        listed = ", ".join(LANGUAGES)
        reason = f"there are no texts for {language!r}; there are {listed}"
        raise ConfigError(_SETTING, 0, reason)
    tables, source = _read(language), f"{language}.toml"
    for problem in _problems(tables, _read(_FIRST)):
        raise ConfigError(source, 0, problem)
    return Words(language, tables)


def chosen(accepted: str) -> str:
    """Return the language for a header ``Accept-Language``: the first that is here."""
    for part in accepted.split(",")[:20]:
        language = part.partition(";")[0].strip().lower().partition("-")[0]
        if language in LANGUAGES:
            return language
    return _FIRST
