"""Settings in TOML, read into one frozen value; a mistake is found by file and line.

``read_settings`` and ``read_secret`` are the only ways by which a setting gets into a
program. What is not a field is refused, with the nearest name that is one.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import NoReturn, TypeVar

import msgspec
from msgspec import inspect

from shared.errors import ConfigError
from shared.toml_lines import line_of

__all__ = ["parse_settings", "read_secret", "read_secret_file", "read_settings"]

_T = TypeVar("_T")
_Path = tuple[str | int, ...]
_MOST = 1024 * 1024
"""Bytes of a settings file, at most."""


def read_settings(path: Path, type_: type[_T]) -> _T:
    """Read a TOML file as a value of a msgspec struct type.

    Raises:
        ConfigError: It cannot be read, is no TOML, or does not fit the type; with the
            line, and what was expected.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MOST + 1)
    except OSError as error:
        raise ConfigError(str(path), 0, f"{error.strerror}") from error
    if len(data) > _MOST:
        raise ConfigError(str(path), 0, f"longer than {_MOST} bytes; is it the file?")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(str(path), line, "not UTF-8; save it as UTF-8") from error
    return parse_settings(text, str(path), type_)


def parse_settings(text: str, source: str, type_: type[_T]) -> _T:
    """Read TOML as a value; ``source`` is what to call it in an error.

    Raises:
        ConfigError: As ``read_settings``.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            source, _toml_line(text, error), _toml_reason(error)
        ) from None
    try:
        _check(document, inspect.type_info(type_), ())
        return msgspec.convert(document, type_)
    except _MismatchError as error:
        line = line_of(text, error.path)
        raise ConfigError(source, line, error.text) from None
    except msgspec.ValidationError as error:
        path, reason = _split(error)
        raise ConfigError(source, line_of(text, path), _about(path, reason)) from None


def read_secret(name: str, environ: Mapping[str, str]) -> str | None:
    """Return a secret, which belongs into no settings file and no command line.

    It comes from ``SCANTRAIL_<NAME>``, from the file that ``SCANTRAIL_<NAME>_FILE``
    names, or from systemd's credential ``scantrail.<name>`` (systemd.exec(5),
    LoadCredential=), whichever is there first; ``None`` where none is.

    Raises:
        ConfigError: The file that is named cannot be read; never with its content.
    """
    variable = f"SCANTRAIL_{name.upper()}"
    if variable in environ:
        return environ[variable].strip()
    folder = environ.get("CREDENTIALS_DIRECTORY")
    credential = Path(folder, f"scantrail.{name.lower()}") if folder else None
    named = environ.get(f"{variable}_FILE")
    if named is None and (credential is None or not credential.exists()):
        return None
    path = Path(named) if named is not None else credential
    return read_secret_file(path or Path())


def read_secret_file(path: Path) -> str:
    """Return a secret that a file holds, without blanks and newlines around it.

    Raises:
        ConfigError: The file cannot be read; never with its content.
    """
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise ConfigError(str(path), 0, f"{why}; it should hold a secret") from None


class _MismatchError(Exception):
    """Where in the document, and what is wrong there."""

    def __init__(self, path: _Path, text: str) -> None:
        self.path = path
        self.text = text
        super().__init__(text)


def _check(value: object, kind: inspect.Type, path: _Path) -> None:
    """Walk the document beside its type, down to the first thing that is wrong."""
    kind = _bare(value, kind, path)
    if isinstance(kind, inspect.StructType):
        _check_struct(value, kind, path)
    elif isinstance(kind, inspect.DictType) and isinstance(value, dict):
        for name, entry in value.items():
            _check(entry, kind.value_type, (*path, name))
    elif isinstance(kind, inspect.CollectionType) and isinstance(value, list):
        for index, entry in enumerate(value):
            _check(entry, kind.item_type, (*path, index))
    elif isinstance(kind, inspect.EnumType | inspect.LiteralType):
        _check_choice(value, kind, path)


def _bare(value: object, kind: inspect.Type, path: _Path) -> inspect.Type:
    """Take off descriptions, and choose where there is a choice of structs."""
    if isinstance(kind, inspect.Metadata):
        kind = kind.type
    if not isinstance(kind, inspect.UnionType):
        return kind
    _check_number_or_word(value, kind, path)
    return _tagged(value, kind, path)


def _check_struct(value: object, kind: inspect.StructType, path: _Path) -> None:
    if not isinstance(value, dict):
        raise _MismatchError(path, _about(path, "expected a table ([…])"))
    fields = {field.encode_name: field for field in kind.fields}
    for name in value:
        if name not in fields and name != kind.tag_field:
            _refuse((*path, name), name, sorted(fields), "is no setting")
    for name, field in fields.items():
        if name in value:
            _check(value[name], field.type, (*path, name))
    try:
        msgspec.convert(value, kind.cls)
    except msgspec.ValidationError as error:
        inner, reason = _split(error)
        raise _MismatchError((*path, *inner), _about((*path, *inner), reason)) from None


def _check_choice(
    value: object, kind: inspect.EnumType | inspect.LiteralType, path: _Path
) -> None:
    choices = (
        kind.values
        if isinstance(kind, inspect.LiteralType)
        else [member.value for member in kind.cls]
    )
    if value not in choices:
        _refuse(path, str(value), [str(choice) for choice in choices], _NO_CHOICE)


def _check_number_or_word(value: object, union: inspect.UnionType, path: _Path) -> None:
    """Refuse what is neither a number nor one of the words that may stand instead."""
    bare = [t.type if isinstance(t, inspect.Metadata) else t for t in union.types]
    literals = [kind for kind in bare if isinstance(kind, inspect.LiteralType)]
    words = [str(word) for kind in literals for word in kind.values]
    numbers = any(isinstance(kind, inspect.IntType) for kind in bare)
    if not words or not numbers or value in words or type(value) is int:
        return
    given = str(value).lower() if isinstance(value, bool) else repr(value)
    listed = ", ".join(f'"{word}"' for word in words)
    text = f"{given} is no choice; expected a whole number without quotes, or {listed}"
    raise _MismatchError(path, _about(path, text))


def _tagged(value: object, union: inspect.UnionType, path: _Path) -> inspect.Type:
    """Choose among structs that say by a field which they are."""
    structs = [kind for kind in union.types if isinstance(kind, inspect.StructType)]
    tags = {str(kind.tag): kind for kind in structs if kind.tag_field is not None}
    if not tags or not isinstance(value, dict):
        return inspect.AnyType()
    field = str(structs[0].tag_field)
    if field not in value:
        text = f"{field} is missing; expected one of {', '.join(sorted(tags))}"
        raise _MismatchError(path, _about(path, text))
    tag = str(value[field])
    if tag not in tags:
        _refuse((*path, field), tag, sorted(tags), _NO_CHOICE)
    return tags[tag]


_NO_CHOICE = "is no choice"


def _refuse(path: _Path, name: str, known: Sequence[str], what: str) -> NoReturn:
    near = get_close_matches(name, known, n=1)
    listed = ", ".join(known)
    hint = f"do you mean {near[0]!r}?" if near else f"there are: {listed}"
    about = path if what == _NO_CHOICE else path[:-1]  # a name stands in the sentence
    raise _MismatchError(path, _about(about, f"{name!r} {what}; {hint}"))


def _about(path: _Path, text: str) -> str:
    """Name a setting as it is written in the file."""
    name = "".join(
        f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in path
    ).lstrip(".")
    return f"{name}: {text}" if name else text


_AT = re.compile(r"(?P<text>.*?)(?: - at `(?P<path>[^`]*)`)?", re.DOTALL)
_PART = re.compile(r"\.(?P<name>[^.\[\]]+)|\[(?P<index>\d+)\]")
_PLAIN = {
    "int": "a whole number",
    "float": "a number",
    "str": "text in quotes",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
    "null": "nothing",
}


def _split(error: msgspec.ValidationError) -> tuple[_Path, str]:
    """Return where msgspec found the mistake, and its reason in plainer words."""
    match = _AT.fullmatch(str(error))
    text, path = (match["text"], match["path"] or "") if match else (str(error), "")
    plain = re.sub(r"`(\w+)`", lambda m: _PLAIN.get(m[1], f"'{m[1]}'"), text)
    parts = (m["name"] or int(m["index"]) for m in _PART.finditer(path))
    plain = plain.replace("Object missing required field", "missing:")
    return tuple(parts), plain[:1].lower() + plain[1:]


_TOML_LINE = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)")


def _toml_line(text: str, error: tomllib.TOMLDecodeError) -> int:
    match = _TOML_LINE.search(str(error))
    end = text.count("\n") + (not text.endswith("\n"))
    return int(match[1]) if match and match[1] else max(end, 1)


def _toml_reason(error: tomllib.TOMLDecodeError) -> str:
    return f"not TOML: {_TOML_LINE.sub('', str(error))}"
