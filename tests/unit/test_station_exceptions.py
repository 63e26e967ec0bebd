"""What is wrong with a station follows from what is kept of it."""

import msgspec
import pytest

from server.station_exceptions import (
    FORK,
    REMEMBERED,
    ROLLBACK,
    SILENT_LIMIT,
    Incident,
    Seen,
    station_exceptions,
    station_state,
)
from shared.health import ScannerState, StationHealth
from shared.moments import SECOND, to_text

NOW = 1_777_000_000 * SECOND
FINE = Seen(
    name="DOCK",
    kind="station",
    joined=NOW - 3600 * SECOND,
    heard=NOW - 5 * SECOND,
    horizon=NOW - 5 * SECOND,
    clock_offset=-20_000,
    health=StationHealth(
        waiting=2, oldest=0.4, scanners=(ScannerState(device="gun", connected=True),)
    ),
    reported=NOW - 5 * SECOND,
)


def _with(**changed: object) -> Seen:
    return msgspec.structs.replace(FINE, **changed)


def _incident(code: str, latest: int, times: int = 1) -> Incident:
    return Incident(code=code, since=5, latest=latest, times=times, log="L", seq=9)


def _codes(seen: Seen, now: int = NOW, limit: int = SILENT_LIMIT) -> list[str]:
    return [one.code for one in station_exceptions(seen, now, limit)]


def test_a_station_that_does_well_has_none() -> None:
    assert _codes(FINE) == []


@pytest.mark.parametrize(
    ("changed", "code", "since"),
    [
        ({"heard": NOW - 61 * SECOND}, "silent", NOW - 61 * SECOND),
        ({"heard": None, "health": None}, "silent", FINE.joined),
        ({"horizon": NOW - 70 * SECOND}, "behind", NOW - 70 * SECOND),
        ({"health": StationHealth(waiting=9, oldest=61.0)}, "behind", FINE.horizon),
        ({"clock_offset": 6 * SECOND}, "clock_wrong", FINE.heard),
        ({"clock_offset": -6 * SECOND}, "clock_wrong", FINE.heard),
        ({"incidents": (_incident(FORK, NOW),)}, "fork", 5),
        ({"incidents": (_incident(ROLLBACK, NOW),)}, "rollback", 5),
        ({"quarantined": 3, "quarantined_since": 77}, "quarantined_lines", 77),
    ],
)
def test_each_is_raised_by_what_is_kept(
    changed: dict[str, object], code: str, since: int
) -> None:
    (found,) = station_exceptions(_with(**changed), NOW)
    assert (found.code, found.since) == (code, to_text(since))
    assert found.text.endswith(".")


def test_scanners_are_told_by_name_with_what_to_do() -> None:
    gone = ScannerState(device="gun", connected=False, since=30.0, problem="plug it in")
    bad = ScannerState(device="eye", connected=True, lately=9, damaged_lately=3)
    good = ScannerState(device="ear", connected=True, lately=9, damaged_lately=2)
    seen = _with(health=StationHealth(scanners=(gone, bad, good)))
    missing, damaged = station_exceptions(seen, NOW)
    assert (missing.code, missing.since) == (
        "scanner_missing",
        to_text(NOW - 35 * SECOND),
    )
    assert missing.text == "gun: plug it in."
    assert damaged.code == "damaged_reads"
    assert "eye: 3 of 9 reads" in damaged.text


def test_a_scanner_that_is_just_being_opened_is_not_missed() -> None:
    new = ScannerState(device="gun", connected=False, since=2.0)
    assert _codes(_with(health=StationHealth(scanners=(new,)))) == []


def test_the_limit_of_silence_can_be_set() -> None:
    quiet = _with(heard=NOW - 120 * SECOND, horizon=NOW - 120 * SECOND)
    assert _codes(quiet) == ["silent"]
    assert _codes(quiet, limit=180 * SECOND) == []


def test_an_incident_is_shown_for_a_week_after_it_last_happened() -> None:
    seen = _with(incidents=(_incident(FORK, NOW, times=4),))
    assert "4 times" in station_exceptions(seen, NOW)[0].text
    later = NOW + REMEMBERED + 1
    assert FORK not in _codes(seen, later)


@pytest.mark.parametrize("changed", [{"revoked": 5}, {"joined": None}])
def test_nothing_is_wrong_with_a_station_that_is_none_any_more(
    changed: dict[str, object],
) -> None:
    assert _codes(_with(heard=None, **changed)) == []


def test_a_host_may_be_silent() -> None:
    assert _codes(_with(kind="host", heard=None)) == []


def test_a_reader_gets_what_the_station_said_and_when() -> None:
    health = StationHealth(
        version="2.0", waiting=4, oldest=2.5, synced=False, disk_free=7, unsaved=1
    )
    state = station_state(_with(health=health, version="1.0"), NOW)
    assert (state.version, state.backlog, state.backlog_age) == ("2.0", 4, 2.5)
    assert (state.clock_synced, state.disk_free, state.unsaved) == (False, 7, 1)
    assert state.reported_at == to_text(NOW - 5 * SECOND)
    untold = station_state(_with(health=None, version="1.0"), NOW)
    assert (untold.version, untold.backlog, untold.scanners) == ("1.0", None, [])
