"""Who may join: under which name, by which code, and in whose place. Pure."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from server.problems import ProblemError, taken
from server.store import Code, Displaced, Station, is_own
from shared.moments import SECOND
from shared.protocol import ProblemType

__all__ = [
    "KEPT",
    "Admitted",
    "Name",
    "admitted",
    "code",
    "displaced",
    "others_log",
    "welcomed",
]

KEPT = 90 * 24 * 3600 * SECOND
"""How long it is kept, behind its end, that there was a code."""


class Name(NamedTuple):
    """A station by its name: since when it has joined, or does nothing more, and more.

    ``host`` is its machine, and ``heard`` when that was heard last.
    """

    station: int
    name: str
    joined: int | None
    revoked: int | None
    host: str
    heard: int | None

    @property
    def in_use(self) -> bool:
        """Whether a machine has it now."""
        return self.joined is not None and self.revoked is None

    def see_that_it_is_free(self, *, replaces: bool) -> None:
        """See that a newcomer may have the name.

        Raises:
            ProblemError: 409 where it is in use, and the code is not for replacing.
        """
        if self.in_use and not replaces:
            raise taken(self.name, self.host, self.heard)


class Admitted(NamedTuple):
    """What a good code admits to: a name, and what the station becomes."""

    kind: str
    location: str | None
    name: Name


def admitted(row: Sequence[Any] | None) -> Admitted:
    """Return what a code that can be used admits to.

    Args:
        row: Of the code: whether it replaces, kind, location, and a `Name`; None where
            there is none that can be used.

    Raises:
        ProblemError: 403 where there is none; 409 where another has the name since the
            code was made.
    """
    if row is None:
        reason = (
            "The code is wrong, was used already, or has expired. "
            "Ask an administrator for a new one."
        )
        raise ProblemError(403, ProblemType.CODE, reason)
    replaces, kind, location, *rest = row
    name = Name(*rest)
    name.see_that_it_is_free(replaces=bool(replaces))
    return Admitted(kind, location, name)


def displaced(
    name: Name, newest: Sequence[Any] | None, *, same: bool
) -> Displaced | None:
    """Return the machine that loses its place.

    Args:
        name: The name that the newcomer takes.
        newest: The name of its latest log, and how far that is known.
        same: The log of the newcomer is one of its logs: it is the same machine.
    """
    if same or not name.in_use or is_own(name.name):
        return None
    log, acked = newest or ("", 0)
    return Displaced(host=name.host, log=log, acked=acked)


def welcomed(found: Station | None, gone: Displaced | None) -> Station:
    """Return a station as it was taken in, with the machine that it displaced.

    Raises:
        ProblemError: 500, it is not there.
    """
    if found is None:  # pragma: no cover # it was written just now
        reason = "The station was taken in, and is not there. Try again."
        raise ProblemError(500, ProblemType.INTERNAL, reason)
    return msgspec.structs.replace(found, displaced=gone)


def others_log(log: str, acked: int, head: bytes) -> ProblemError:
    """Say that a log is another station's, and its head where it was asked for."""
    reason = f"Log {log} belongs to another station; a station begins its own."
    return ProblemError(409, ProblemType.LOG, reason, acked=acked, head=head.hex())


def code(  # noqa: PLR0917 # a row
    station_: str,
    kind: str,
    location: str | None,
    replaces: int,
    by: str,
    made: int,
    expires: int,
    used: int | None,
) -> Code:
    """Return what a row says of a code."""
    return Code(
        station=station_,
        kind=kind,
        location=location,
        replaces=bool(replaces),
        by=by,
        made=made,
        expires=expires,
        used=used,
    )
