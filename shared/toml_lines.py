"""Where in a TOML text a setting stands. The standard library's reader does not tell.

Only for the text of an error: the whole document has been read before.
"""

import re
import tomllib
from collections.abc import Iterator, Sequence
from typing import Any

__all__ = ["line_of"]

_Path = tuple[str | int, ...]
_HEADER = re.compile(r"\s*\[")
_NOTHING = re.compile(r"\s*(#.*)?")


def line_of(text: str, path: Sequence[str | int]) -> int:
    """Return the line, from 1, of a setting, or of the nearest table around it.

    A table without a header of its own is where the first of its contents is.

    Args:
        text: A TOML document that can be read.
        path: The names of tables and keys, and indexes of lists, from the top.

    Returns:
        0 where the document has nothing of the path.
    """
    lines: dict[_Path, int] = {}
    for place, line in _places(text.splitlines()):
        lines[place] = line
        for length in range(1, len(place)):
            lines.setdefault(place[:length], line)
    wanted = tuple(path)
    shorter = (wanted[:length] for length in range(len(wanted), 0, -1))
    return next((lines[part] for part in shorter if part in lines), 0)


def _places(lines: Sequence[str]) -> Iterator[tuple[_Path, int]]:
    """Yield the path and the line of every header and every key."""
    table: _Path = ()
    seen: dict[_Path, int] = {}
    number = 0
    while number < len(lines):
        if _NOTHING.fullmatch(lines[number]):
            number += 1
            continue
        height, parsed = _statement(lines, number)
        if _HEADER.match(lines[number]):
            table = _table(parsed, seen)
            yield table, number + 1
        else:
            for key in _keys(parsed):
                yield (*table, *key), number + 1
        number += height


def _statement(lines: Sequence[str], start: int) -> tuple[int, dict[str, Any]]:
    """Read the shortest run of lines that is TOML by itself: a header, or one key."""
    for end in range(start + 1, len(lines) + 1):
        try:
            return end - start, tomllib.loads("\n".join(lines[start:end]))
        except tomllib.TOMLDecodeError:
            continue
    return len(lines) - start, {}


def _table(parsed: dict[str, Any], seen: dict[_Path, int]) -> _Path:
    """Return the path of a header; in lists of tables, that of the latest entry."""
    path: _Path = ()
    inner: Any = parsed
    while isinstance(inner, dict) and inner:
        name, inner = next(iter(inner.items()))
        path = (*path, name)
        if isinstance(inner, list):
            seen[path] = seen.get(path, -1) + 1
        if path in seen:
            path = (*path, seen[path])
    return path


def _keys(parsed: dict[str, Any]) -> Iterator[_Path]:
    """Yield the paths of all tables and keys in a value, outermost first."""
    for name, value in parsed.items():
        yield (name,)
        for index, entry in enumerate(value if isinstance(value, list) else ()):
            inside = _keys(entry) if isinstance(entry, dict) else ()
            yield (name, index)
            yield from ((name, index, *rest) for rest in inside)
        if isinstance(value, dict):
            yield from ((name, *rest) for rest in _keys(value))
