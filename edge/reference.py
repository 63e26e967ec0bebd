"""The station's copy of the server's reference data: contract 3.4.

Kept as the document that came, with its ETag, in one file that is replaced as a whole.
What the document says is read by those who use it.
"""

import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from edge.answers import Answer, NoAnswer
from edge.clock import Clock, read_clock
from shared import files

__all__ = ["Copy", "Fetch", "Reference", "fetched", "load", "save"]

_log = logging.getLogger(__name__)

_NAME = "reference.json"
_OK = 200

Fetch = Callable[[str], Awaitable[Answer | NoAnswer]]
"""Asks the server for the reference data, unless they are those of an ETag."""


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """The server's document, and the ETag that names this state of it."""

    etag: str
    document: msgspec.Raw


class Copy:
    """The copy in a data folder, and those who want to know of a new one."""

    def __init__(self, data: Path, clock: Clock = read_clock) -> None:
        """Read the copy that there is.

        ``checked`` is when the server last said that this is its present state, by this
        machine's wall clock; None where it never did.
        """
        self._data = data
        self._clock = clock
        self._tried = ""
        self._observers: list[Callable[[Reference], None]] = []
        self.present = load(data)
        self.checked = _written(data) if self.present else None

    def observe(self, callback: Callable[[Reference], None]) -> None:
        """Call ``callback`` with every new reference, and at once if there is one."""
        self._observers.append(callback)
        if self.present:
            callback(self.present)

    async def refresh(self, etag: str, fetch: Fetch, *, again: bool) -> None:
        """Fetch the data that the server names ``etag``, if they are not here.

        Args:
            etag: What the server has; empty where it has none.
            fetch: How to ask for it.
            again: Ask also where the last try with this ETag came to nothing.
        """
        have = self.present.etag if self.present else ""
        if etag and _bare(etag) == _bare(have):
            self.checked = self._clock().at
            return
        if not etag or (etag == self._tried and not again):
            return
        self._tried = etag
        new = fetched(await fetch(have), etag)
        if new is None:
            return
        self.present, self.checked = new, self._clock().at
        try:
            save(self._data, new)
        except OSError as error:
            _log.warning("the reference data are not kept: %s", error.strerror)
        for callback in self._observers:
            callback(new)


def fetched(answer: Answer | NoAnswer, etag: str) -> Reference | None:
    """Read the answer to a ``Fetch``; None where it holds no new document."""
    if isinstance(answer, NoAnswer) or answer.status != _OK:
        return None
    if not answer.content_type.startswith("application/json"):
        return None
    try:
        answer.body.decode()
        document = msgspec.json.decode(answer.body, type=msgspec.Raw)
    except (ValueError, RecursionError):
        return None
    return Reference(etag=answer.etag or etag, document=document)


def load(data: Path) -> Reference | None:
    """Read the copy in the data folder; None if there is none that can be read.

    A copy is fetched again where it is missing, so a damaged one stops nothing.
    """
    path = data / _NAME
    try:
        return msgspec.json.decode(path.read_bytes(), type=Reference)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        _log.warning("%s cannot be read and will be fetched again: %s", path, error)
        return None


def save(data: Path, reference: Reference) -> None:
    """Keep a copy in the data folder, in place of the one that was there.

    Raises:
        OSError: It cannot be written; the one that was there still is.
    """
    files.write(data / _NAME, msgspec.json.encode(reference))


def _written(data: Path) -> int | None:
    """Return when the copy in the data folder was written."""
    try:
        return (data / _NAME).stat().st_mtime_ns // 1000
    except OSError:
        return None


def _bare(etag: str) -> str:
    """Return what an ETag names, however it is quoted: RFC 9110, 8.8.3."""
    return etag.removeprefix("W/").strip('"')
