"""Stations as the server knows them, and what an administrator asks of them."""

from typing import Annotated, Any, Literal

import msgspec

from shared.health import ScannerState

__all__ = [
    "NAME",
    "CodePage",
    "CodeState",
    "NewStation",
    "Revoke",
    "StationCode",
    "StationException",
    "StationPage",
    "StationSettings",
    "StationState",
    "Untold",
]

NAME = r"^[\w!-~][\w -~]{0,99}$"
"""What a station may be called: up to 100 letters, digits, ASCII marks and blanks."""


class NewStation(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``POST /v1/stations``: a station, or a host system, that may join.

    ``replaces``: it takes the place of the one that has the name now, which is refused
    from then on. Without it a name that is in use is refused.
    """

    name: Annotated[str, msgspec.Meta(pattern=NAME)]
    location: str | None = None
    kind: Literal["station", "host"] = "station"
    replaces: bool = False


class StationCode(msgspec.Struct, kw_only=True):
    """Its answer: the one-time code that lets the station join until it expires."""

    station: str
    code: str
    expires_at: str


class CodeState(msgspec.Struct, kw_only=True):
    """A one-time code that was made, without the code: who, when, for which name.

    ``used_at`` is when a station joined by it. ``state`` is ``open``, ``used`` or
    ``expired``.
    """

    station: str
    kind: str
    location: str | None
    replaces: bool
    made_by: str
    made_at: str
    expires_at: str
    used_at: str | None
    state: Literal["open", "used", "expired"]


class CodePage(msgspec.Struct, kw_only=True):
    """``GET /v1/codes``, the newest first."""

    codes: list[CodeState]


class Untold(msgspec.Struct, kw_only=True):
    """A station that may hold more than it has told, and up to when it has told all."""

    station: str
    complete_until: str | None


class StationException(msgspec.Struct, kw_only=True):
    """Something about a station that a person should look at."""

    code: str
    since: str
    text: str


class StationState(msgspec.Struct, kw_only=True):
    """One station as the server knows it.

    ``horizon`` is the moment up to which it has told everything, ``clock_offset`` how
    far its wall clock was ahead of the server's at the last exchange, in seconds.
    What the station says of itself is as of ``reported_at``: ``backlog`` are lines that
    it had not sent, the first of them ``backlog_age`` seconds old; ``unsaved`` are
    scans in its memory only, and ``problem`` says why; ``disk_free`` is in bytes,
    ``battery`` in per cent.
    """

    station: str
    kind: str
    location: str | None = None
    log: str | None = None
    acked: int = 0
    joined_at: str | None = None
    heard_at: str | None = None
    horizon: str | None = None
    clock_offset: float | None = None
    clock_synced: bool | None = None
    reported_at: str | None = None
    backlog: int | None = None
    backlog_age: float | None = None
    unsaved: int = 0
    problem: str = ""
    disk_free: int | None = None
    battery: int | None = None
    scanners: list[ScannerState] = []
    exceptions: list[StationException] = []
    version: str = ""
    host: str = ""
    revoked: bool = False


class StationPage(msgspec.Struct, kw_only=True):
    """``GET /v1/stations``."""

    stations: list[StationState]
    cursor: str | None = None


class Revoke(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``POST /v1/stations/{station}/revoke``: its token no longer opens anything."""

    reason: str = ""


class StationSettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``PUT /v1/stations/{station}/settings``: a table as in its settings file."""

    settings: dict[str, Any]
