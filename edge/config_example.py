"""A configuration file with every setting in it, written from their descriptions."""

from collections.abc import Iterator
from typing import get_args

import msgspec

from edge.config import Config, PatternSettings
from edge.scanners.settings import ScannerSettings
from edge.workflow import Mode
from shared.settings_example import listed, table

__all__ = ["example"]

_HEAD = """\
# The configuration of a Scantrail station.
#
# Every setting is here with its default, behind a #; take the # away to change it.
# An … stands for what only you can know; without it the setting is not there.
# `scantrail-station check-config` says whether the file is right, and where it is not.
"""


def example() -> str:
    """Return the text of a TOML file that says nothing but the defaults."""
    parts = [
        _HEAD,
        *(table(name, type(value)) for name, value in _tables()),
        listed("[workflow.mode.quarantine]", Mode, {"action": "store"}),
        listed("[[labels.item]]", PatternSettings, {"pattern": "BOX#{4,6}"}),
        *(_scanner(kind) for kind in get_args(ScannerSettings)),
    ]
    return "\n".join(parts)


def _tables() -> Iterator[tuple[str, msgspec.Struct]]:
    """Yield the tables that are there once."""
    config = Config()
    for name in msgspec.structs.asdict(config):
        value = getattr(config, name)
        if isinstance(value, msgspec.Struct):
            yield name, value


def _scanner(type_: type[msgspec.Struct]) -> str:
    """Return a kind of scanner, and the table in it that says how it frames codes."""
    tag = str(type_.__struct_config__.tag)
    parts = [listed(f'[[scanner]]\n# kind = "{tag}"', type_, {})]
    for field in msgspec.structs.fields(type_):
        if isinstance(field.default, msgspec.Struct):
            inner = type(field.default)
            parts.append(listed(f"[scanner.{field.encode_name}]", inner, {}))
    return "\n".join(parts)
