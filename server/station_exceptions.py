"""What is wrong with a station, from what is kept of it: contract, section 5. Pure.

Nothing is set and cleared by anyone: each exception follows from the latest exchange,
from the lines that could not be understood, and from incidents, which are remembered
because they pass in a moment. Moments are microseconds since 1970.
"""

from collections.abc import Iterator

import msgspec

from server.sentences import say
from shared.api.stations import StationException, StationState
from shared.health import ScannerState, StationHealth
from shared.moments import SECOND, to_text

__all__ = [
    "COPIED",
    "DISPLACED",
    "FORK",
    "REMEMBERED",
    "ROLLBACK",
    "SILENT_LIMIT",
    "Incident",
    "Seen",
    "station_exceptions",
    "station_state",
]

FORK, ROLLBACK, COPIED, DISPLACED = "fork", "rollback", "copied", "displaced"
"""Incidents, and the exceptions that they raise."""

SILENT_LIMIT = 60 * SECOND
"""How long a station may say nothing; three heartbeats."""
REMEMBERED = 7 * 24 * 3600 * SECOND
"""How long an incident is shown after it last happened."""
BEHIND = 60 * SECOND
"""How far what a station has told completely may lie before its latest exchange."""
CLOCK_LIMIT = 5 * SECOND
"""How far a clock may be off; a request's way here counts against it."""
MISSING_AFTER = 3.0
"""Seconds without its scanner after which a station misses it; it is just starting."""
DAMAGED_LIMIT = 3
"""Damaged reads of a scanner within an hour that a person should look at."""


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """What passed in a moment, and should be looked at: when, how often, at which line.

    ``since`` is the first time, ``latest`` the last one of an unbroken series;
    ``address`` is whence it came, where that matters.
    """

    code: str
    since: int
    latest: int
    times: int
    log: str = ""
    seq: int = 0
    address: str = ""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a station.

    ``heard`` is its latest exchange, ``horizon`` the moment up to which it has told
    everything, ``clock_offset`` how far its clock was ahead at the latest exchange.
    ``health`` is what it said of itself last, at ``reported``. ``quarantined`` lines of
    its could not be understood, the first of them received at ``quarantined_since``.
    """

    name: str
    kind: str
    location: str | None = None
    log: str | None = None
    acked: int = 0
    joined: int | None = None
    revoked: int | None = None
    heard: int | None = None
    horizon: int | None = None
    clock_offset: int | None = None
    version: str = ""
    host: str = ""
    health: StationHealth | None = None
    reported: int | None = None
    quarantined: int = 0
    quarantined_since: int | None = None
    incidents: tuple[Incident, ...] = ()

    @property
    def active(self) -> bool:
        """Whether it has joined, and has not been revoked."""
        return self.joined is not None and self.revoked is None


def station_state(seen: Seen, now: int, silent: int = SILENT_LIMIT) -> StationState:
    """Write a station for a reader: contract, section 7, ``GET /v1/stations``."""
    health = seen.health or StationHealth()
    offset = seen.clock_offset
    return StationState(
        station=seen.name,
        kind=seen.kind,
        location=seen.location,
        log=seen.log,
        acked=seen.acked,
        joined_at=_text(seen.joined),
        heard_at=_text(seen.heard),
        horizon=_text(seen.horizon),
        clock_offset=None if offset is None else offset / SECOND,
        clock_synced=health.synced,
        reported_at=_text(seen.reported),
        backlog=None if seen.health is None else health.waiting,
        backlog_age=health.oldest,
        unsaved=health.unsaved,
        problem=health.problem,
        disk_free=health.disk_free,
        battery=health.battery,
        scanners=list(health.scanners),
        version=health.version or seen.version,
        host=seen.host,
        revoked=seen.revoked is not None,
        exceptions=station_exceptions(seen, now, silent),
    )


def station_exceptions(
    seen: Seen, now: int, silent: int = SILENT_LIMIT
) -> list[StationException]:
    """Return what is open for a station at ``now``, oldest first.

    Args:
        seen: What is kept of it.
        now: The present moment.
        silent: How long a station may say nothing, in microseconds.
    """
    if not seen.active:
        return []
    found = [*_incidents(seen, now), *_quarantined(seen)]
    if seen.kind == "station":
        found += [
            *_silent(seen, now, silent),
            *_behind(seen),
            *_clock(seen),
            *_scanners(seen),
        ]
    return sorted(found, key=lambda one: (one.since, one.code))


_Found = Iterator[StationException]


def _open(code: str, since: int, text: str) -> StationException:
    return StationException(code=code, since=to_text(max(0, since)), text=text)


def _silent(seen: Seen, now: int, limit: int) -> _Found:
    since = seen.joined if seen.heard is None else seen.heard
    if since is not None and now - since > limit:
        yield _open(
            "silent",
            since,
            say("silent", seconds=limit // SECOND),
        )


def _behind(seen: Seen) -> _Found:
    health = seen.health or StationHealth()
    heard = seen.heard or 0
    lag = heard - (seen.horizon or heard)
    waits = health.waiting and (health.oldest or 0) * SECOND > BEHIND
    if lag > BEHIND or waits:
        said = "behind_number" if health.waiting else "behind"
        since = seen.horizon or heard
        yield _open("behind", since, say(said, number=health.waiting))


def _clock(seen: Seen) -> _Found:
    offset = seen.clock_offset or 0
    if abs(offset) > CLOCK_LIMIT:
        way = "ahead" if offset > 0 else "behind"
        yield _open(
            "clock_wrong",
            seen.heard or 0,
            say(f"clock_wrong_{way}", seconds=f"{abs(offset) / SECOND:.0f}"),
        )


def _scanners(seen: Seen) -> _Found:
    health, reported = seen.health or StationHealth(), seen.reported or 0
    for scanner in health.scanners:
        if not scanner.connected and scanner.since >= MISSING_AFTER:
            since = reported - round(scanner.since * SECOND)
            yield _open("scanner_missing", since, _missing(scanner))
        if scanner.damaged_lately >= DAMAGED_LIMIT:
            yield _open(
                "damaged_reads",
                reported,
                say(
                    "damaged_reads",
                    device=scanner.device,
                    damaged=scanner.damaged_lately,
                    number=scanner.lately,
                ),
            )


def _missing(scanner: ScannerState) -> str:
    said = "scanner_missing" if scanner.problem else "scanner_missing_unplugged"
    return say(said, device=scanner.device, problem=scanner.problem)


def _quarantined(seen: Seen) -> _Found:
    if seen.quarantined_since is not None:
        yield _open(
            "quarantined_lines",
            seen.quarantined_since,
            say("quarantined_lines", number=seen.quarantined),
        )


def _incidents(seen: Seen, now: int) -> _Found:
    for one in seen.incidents:
        if now - one.latest <= REMEMBERED:
            text = say(one.code, log=one.log, seq=one.seq, address=one.address)
            again = f" It happened {one.times} times." if one.times > 1 else ""
            yield _open(one.code, one.since, text + again)


def _text(moment: int | None) -> str | None:
    return None if moment is None else to_text(moment)
