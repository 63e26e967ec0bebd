"""A scanner's settings as a table of station.toml, and that file with it. Pure."""

import re
from collections.abc import Iterator
from difflib import unified_diff

import msgspec

from edge.config import Config
from edge.scanners.settings import ScannerSettings
from shared.errors import ConfigError
from shared.settings_example import toml_value
from shared.settings_file import parse_settings
from shared.toml_lines import line_of

__all__ = ["changes", "table", "with_scanner"]

_HEADER = re.compile(r"\s*\[")
_OWN = re.compile(r"\s*\[\s*scanner\s*\.")
_COMMENT = re.compile(r"\s*(#.*)?")


def table(settings: ScannerSettings) -> str:
    """Write what is not a default: [[scanner]], and [scanner.framing] where needed."""
    kind = str(type(settings).__struct_config__.tag)
    lines = ["[[scanner]]", f"kind = {toml_value(kind)}", *_lines(settings)]
    for field in msgspec.structs.fields(settings):
        value = getattr(settings, field.name)
        inner = list(_lines(value)) if isinstance(value, msgspec.Struct) else []
        if inner:
            lines += ["", f"[scanner.{field.encode_name}]", *inner]
    return "\n".join(lines) + "\n"


def _lines(settings: msgspec.Struct) -> Iterator[str]:
    for field in msgspec.structs.fields(settings):
        value = getattr(settings, field.name)
        if not isinstance(value, msgspec.Struct) and value != field.default:
            yield f"{field.encode_name} = {toml_value(value)}"


def with_scanner(old: str, source: str, settings: ScannerSettings) -> str:
    """Return a configuration with a scanner in it, in the place of the same one.

    Args:
        old: The text of the file; empty where there is none.
        source: What to call it in an error.
        settings: The scanner; one of the same path or name is the same.

    Raises:
        ConfigError: The file cannot be read, or cannot be changed safely.
    """
    before = parse_settings(old, source, Config)
    places = [n for n, one in enumerate(before.scanner) if _same(one, settings)]
    lines = old.splitlines()
    if len(places) > 1:
        reason = "several scanners are this one; take all but one out"
        raise ConfigError(source, line_of(old, ("scanner", places[1])), reason)
    if places:
        first, end = _block(lines, line_of(old, ("scanner", places[0])) - 1)
        lines[first:end] = table(settings).splitlines()
    else:
        lines += [*([""] if lines else []), *table(settings).splitlines()]
    new = "\n".join(lines) + "\n"
    rest = before.scanner
    at = places[0] if places else len(rest)
    wanted = msgspec.structs.replace(
        before, scanner=(*rest[:at], settings, *rest[at + 1 :])
    )
    if parse_settings(new, source, Config) != wanted:
        reason = "it is written in a way that cannot be changed here; do it by hand"
        raise ConfigError(source, 0, reason)
    return new


def _same(one: ScannerSettings, other: ScannerSettings) -> bool:
    return type(one) is type(other) and (
        one.device == other.device or _device(one) == _device(other)
    )


def _device(settings: ScannerSettings) -> str:
    return str(getattr(settings, "path", "") or getattr(settings, "port", ""))


def _block(lines: list[str], first: int) -> tuple[int, int]:
    """Return where a scanner's lines begin and end, but for the next one's comment."""
    end = first + 1
    while end < len(lines) and (
        not _HEADER.match(lines[end]) or _OWN.match(lines[end])
    ):
        end += 1
    while end > first + 1 and _COMMENT.fullmatch(lines[end - 1]):
        end -= 1
    return first, end


def changes(old: str, new: str, name: str) -> str:
    """Return what would change, as a unified diff; empty where nothing does."""
    return "".join(
        unified_diff(
            old.splitlines(keepends=True),
            new.splitlines(keepends=True),
            f"{name} (now)",
            f"{name} (with this scanner)",
        )
    )
