"""Where a station's knowledge comes from: the copy of what the server said, its log.

Neither is needed for scanning: what cannot be read is logged, and not known.
"""

import logging
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from edge.config import FILE, Config
from edge.outbox import Outbox
from edge.reference import Copy, Reference, load
from edge.storage import NotSavedError
from edge.workflow import Told
from shared import reference
from shared.errors import LineError
from shared.lines import Line, decode

__all__ = ["configured", "from_log", "keep_told", "settings_of"]

_log = logging.getLogger(__name__)

_LINES = 3000
"""Lines of the log that a station that starts looks back at."""
_BYTES = 4 * 1024 * 1024
_SETTABLE = ("workflow", "checks", "labels", "display")
"""The tables of its settings that a station lets its server set."""
_decoder = msgspec.json.Decoder(reference.Reference)


def keep_told(told: Told, copy: Copy) -> None:
    """Tell a station's knowledge of the copy that there is, and of every new one."""

    def update(new: Reference) -> None:
        try:
            document = _decoder.decode(new.document)
        except (ValueError, RecursionError) as error:
            _log.warning("the server's reference data cannot be read: %s", error)
        else:
            told.update(document, copy.checked)

    told.checked = lambda: copy.checked
    copy.observe(update)


def settings_of(kept: Reference | None) -> dict[str, object]:
    """Return what the server sets for this station; nothing where that is not told."""
    if kept is None:
        return {}
    try:
        return _decoder.decode(kept.document).settings
    except (ValueError, RecursionError):
        return {}


def configured(config: Config, path: Path | None, data: Path) -> Config:
    """Return the configuration with the server's settings beneath it.

    What the station's own file says holds; what it does not say, the server may. Of
    settings that cannot be, none is used.

    Args:
        config: What the file says.
        path: The file, as it was given to ``edge.config.load``.
        data: The data folder, with the copy of the server's data.
    """
    told = settings_of(load(data))
    allowed = {name: told[name] for name in _SETTABLE if name in told}
    if not allowed:
        return config
    file = path or data / FILE
    own = tomllib.loads(file.read_text()) if file.exists() else {}
    try:
        return msgspec.convert(_merged(allowed, own), Config)
    except msgspec.ValidationError as error:
        _log.error("the server's settings for this station are not used: %s", error)
        return config


def _merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    both = {**under, **over}
    for name in under.keys() & over.keys():
        if isinstance(under[name], dict) and isinstance(over[name], dict):
            both[name] = _merged(under[name], over[name])
    return both


async def from_log(told: Told, outbox: Outbox) -> None:
    """Let a station that starts know what it did lately."""
    try:
        await _from_log(told, outbox)
    except (NotSavedError, LookupError) as error:
        _log.warning("the log cannot be read: %s", error)


async def _from_log(told: Told, outbox: Outbox) -> None:
    after = max(outbox.state.present.first, outbox.last - _LINES)
    while after < outbox.last:
        batch = await outbox.batch(after, max_lines=_LINES, max_bytes=_BYTES)
        if not batch.lines:
            return
        numbered = enumerate(batch.lines, start=after + 1)
        named = [(f"{batch.log}:{seq}", _line(data)) for seq, data in numbered]
        known = [(name, line) for name, line in named if line is not None]
        told.learn([name for name, _ in known], [line for _, line in known])
        after = batch.last


def _line(data: bytes) -> Line | None:
    try:
        return decode(data)
    except LineError:
        return None
