"""Where a station's knowledge comes from: the copy of what the server said, its log.

Neither is needed for scanning: what cannot be read is logged, and not known.
"""

import logging

import msgspec

from edge.outbox import NotSavedError, Outbox
from edge.reference import Copy, Reference
from edge.workflow import Told
from shared import reference
from shared.errors import LineError
from shared.lines import Line, decode

__all__ = ["from_log", "keep_told"]

_log = logging.getLogger(__name__)

_LINES = 3000
"""Lines of the log that a station that starts looks back at."""
_BYTES = 4 * 1024 * 1024
_decoder = msgspec.json.Decoder(reference.Reference)


def keep_told(told: Told, copy: Copy) -> None:
    """Tell a station's knowledge of the copy that there is, and of every new one."""

    def update(new: Reference) -> None:
        try:
            document = _decoder.decode(new.document)
        except (ValueError, RecursionError) as error:
            _log.warning("the server's reference data cannot be read: %s", error)
        else:
            told.update(document)

    copy.observe(update)


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
