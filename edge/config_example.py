"""A configuration file with every setting in it, written from their descriptions.

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

from edge.config import Config, PatternSettings
from edge.scanners.settings import ScannerSettings
from edge.workflow import Mode

__all__ = ["descriptions", "example", "toml_value"]

_WIDTH = 78
_HEAD = """\
# The configuration of a Scantrail station.
#
# Every setting is here with its default, behind a #; take the # away to change it.
# An … stands for what only you can know; without it the setting is not there.
# `scantrail-station check-config` says whether the file is right, and where it is not.
"""
_ENTRY = re.compile(r"^    (\w+): ", re.MULTILINE)


def example() -> str:
    """Return the text of a TOML file that says nothing but the defaults."""
    parts = [
        _HEAD,
        *(_table(name, value) for name, value in _tables()),
        _listed("[workflow.mode.quarantine]", Mode, {"action": "store"}),
        _listed("[[labels.item]]", PatternSettings, {"pattern": "BOX#{4,6}"}),
        *(_scanner(kind) for kind in get_args(ScannerSettings)),
    ]
    return "\n".join(parts)


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


def _tables() -> Iterator[tuple[str, msgspec.Struct]]:
    """Yield the tables that are there once."""
    config = Config()
    for name in msgspec.structs.asdict(config):
        value = getattr(config, name)
        if isinstance(value, msgspec.Struct):
            yield name, value


def _table(name: str, value: msgspec.Struct) -> str:
    lines = [_comment(_summary(type(value))), f"[{name}]", *_settings(type(value))]
    return "\n".join(lines) + "\n"


def _listed(header: str, type_: type[msgspec.Struct], given: dict[str, str]) -> str:
    """Return a table that may be there more than once, or not at all."""
    lines = [_comment(_summary(type_)), f"# {header}", *_settings(type_, given)]
    return "\n".join(lines) + "\n"


def _scanner(type_: type[msgspec.Struct]) -> str:
    """Return a kind of scanner, and the table in it that says how it frames codes."""
    tag = str(type_.__struct_config__.tag)
    parts = [_listed(f'[[scanner]]\n# kind = "{tag}"', type_, {})]
    for field in msgspec.structs.fields(type_):
        if isinstance(field.default, msgspec.Struct):
            inner = type(field.default)
            parts.append(_listed(f"[scanner.{field.encode_name}]", inner, {}))
    return "\n".join(parts)


def _settings(
    type_: type[msgspec.Struct], given: Mapping[str, str] = MappingProxyType({})
) -> Iterator[str]:
    """Yield a description and a line for each setting that is not a table."""
    described = descriptions(type_)
    for field in msgspec.structs.fields(type_):
        if not _is_table(field.type):
            value = given.get(field.name, None if field.required else field.default)
            yield _comment(described.get(field.name, ""), "#   ")
            written = "…" if value is None else toml_value(value)
            yield f"# {field.encode_name} = {written}"


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
    if isinstance(plain, list):
        return f"[{', '.join(map(toml_value, plain))}]"
    if isinstance(plain, dict):
        return f"{{ {', '.join(f'{k} = {toml_value(v)}' for k, v in plain.items())} }}"
    return msgspec.json.encode(plain).decode().replace("\x7f", "\\u007f")
