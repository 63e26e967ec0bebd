"""A settings file with every setting in it, written from their descriptions.

The docstrings of the settings are the one place where they are described; a setting
without a description fails a test.
"""

import inspect
import re
import textwrap
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import get_args

import msgspec

__all__ = ["descriptions", "listed", "settings", "table", "toml_value"]

_WIDTH = 78
_ENTRY = re.compile(r"^    (\w+): ", re.MULTILINE)


def descriptions(type_: type[msgspec.Struct]) -> dict[str, str]:
    """Return what the docstrings of a struct, and of its bases, say of its fields."""
    found: dict[str, str] = {}
    for cls in reversed(type_.__mro__):
        _, _, section = (cls.__doc__ or "").partition("Attributes:\n")
        text = inspect.cleandoc("x\n" + section).partition("\n")[2]
        pieces = _ENTRY.split(textwrap.indent(text, "    "))[1:]
        for name, words in zip(pieces[::2], pieces[1::2], strict=True):
            found[name] = " ".join(words.replace("``", "").split())
    return found


def table(name: str, type_: type[msgspec.Struct]) -> str:
    """Return a table that is there once, with every setting at its default."""
    lines = [_comment(_summary(type_)), f"[{name}]", *settings(type_)]
    return "\n".join(lines) + "\n"


def listed(header: str, type_: type[msgspec.Struct], given: dict[str, str]) -> str:
    """Return a table that may be there more than once, or not at all."""
    lines = [_comment(_summary(type_)), f"# {header}", *settings(type_, given)]
    return "\n".join(lines) + "\n"


def settings(
    type_: type[msgspec.Struct], given: Mapping[str, str] = MappingProxyType({})
) -> Iterator[str]:
    """Yield a description and a line for each setting that is not a table."""
    described = descriptions(type_)
    for field in msgspec.structs.fields(type_):
        if not _is_table(field.type):
            value = given.get(field.name, _default(field))
            yield _comment(described.get(field.name, ""), "#   ")
            written = "…" if value is None else toml_value(value)
            yield f"# {field.encode_name} = {written}"


def _default(field: msgspec.structs.FieldInfo) -> object:
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return None if field.required else field.default


def _is_table(type_: object) -> bool:
    """Whether a setting holds structs, and is written as tables of its own."""
    if isinstance(type_, type):
        return issubclass(type_, msgspec.Struct)
    return any(map(_is_table, get_args(type_)))


def _summary(type_: type[msgspec.Struct]) -> str:
    return (type_.__doc__ or "").partition("\n\n")[0]


def _comment(text: str, mark: str = "# ") -> str:
    return textwrap.fill(
        " ".join(text.split()), _WIDTH, initial_indent=mark, subsequent_indent=mark
    )


def toml_value(value: object) -> str:
    """Write a value as TOML; numbers, text and truth are written as in JSON."""
    plain = msgspec.to_builtins(value)
    if plain == {}:
        return "{}"
    if isinstance(plain, list):
        return f"[{', '.join(map(toml_value, plain))}]"
    if isinstance(plain, dict):
        return f"{{ {', '.join(f'{k} = {toml_value(v)}' for k, v in plain.items())} }}"
    return msgspec.json.encode(plain).decode().replace("\x7f", "\\u007f")
