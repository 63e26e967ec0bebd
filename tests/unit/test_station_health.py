"""What a station says of itself in its header, and what a server believes of it."""

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.decisions import State
from edge.health import Report, ScannerReport
from edge.logs import Batch
from edge.vitals import Vitals, free_bytes
from shared import chain
from shared.errors import ProtocolError
from shared.health import MAX_HEALTH, ScannerState, StationHealth
from shared.lines import Line, encode
from shared.moments import SECOND, to_text
from shared.protocol import ClockReading

AT = 1_777_000_000 * SECOND
LOG = "0b7c6f4e-8a3f-4a52-9f4e-2b8f1d1c9a10"


class Now:
    """A clock whose boot clock moves as told."""

    def __init__(self) -> None:
        self.mono = 1000 * SECOND

    def __call__(self) -> ClockReading:
        at = AT + self.mono
        return ClockReading(at=at, boot="b1", mono=self.mono, synced=True)


def _report(now: Now, *scanners: ScannerReport, unsaved: int = 0) -> Report:
    return Report(
        pid=1,
        boot="b1",
        mono=now.mono,
        clock_synced=True,
        state=State.SENDING,
        unsaved=unsaved,
        unsaved_problem="the disk is full" if unsaved else "",
        scanners=scanners,
    )


def _batch(*lines: bytes) -> Batch:
    base = chain.start(LOG)
    head = chain.walk(base, lines)[-1]
    return Batch(log=LOG, after=0, base=base, head=head, lines=lines)


def _line(at: int, **more: object) -> bytes:
    return encode(msgspec.convert({"seq": 1, "at": to_text(at), **more}, Line))


def test_a_header_says_it_all_and_is_read_back() -> None:
    scanner = ScannerState(device="Hülle ⚠", connected=False, problem="plug it in")
    health = StationHealth(
        version="1.2", waiting=7, oldest=3.5, synced=False, scanners=(scanner,)
    )
    text = health.header()
    assert text.isascii()
    assert StationHealth.from_header(text) == health


def test_what_has_no_room_is_left_out_and_counted() -> None:
    scanners = tuple(
        ScannerState(device=f"\N{SNOWMAN}{n}" * 200, connected=True) for n in range(99)
    )
    text = StationHealth(scanners=scanners, problem="x" * 9999).header()
    found = StationHealth.from_header(text)
    assert len(text) <= MAX_HEALTH
    assert found.scanners
    assert found.left_out + len(found.scanners) == 99


def test_even_a_version_that_is_too_long_gives_a_header() -> None:
    text = StationHealth(version="\N{SNOWMAN}" * 9999).header()
    assert StationHealth.from_header(text) == StationHealth()


@given(
    st.builds(
        StationHealth,
        version=st.text(max_size=300),
        waiting=st.integers(0, 2**53),
        problem=st.text(max_size=900),
        scanners=st.lists(
            st.builds(
                ScannerState,
                device=st.text(max_size=300),
                connected=st.booleans(),
                problem=st.text(max_size=500),
            ),
            max_size=20,
        ).map(tuple),
    )
)
def test_any_health_fits_and_shows_nothing_invisible(health: StationHealth) -> None:
    text = health.header()
    assert len(text) <= MAX_HEALTH
    assert text.isascii()
    try:
        found = StationHealth.from_header(text)
    except ProtocolError:  # a version that no station has
        assert len(health.version) > 256
    else:
        assert found.problem.isprintable()
        assert all(s.device.isprintable() for s in found.scanners)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no",
        "[]",
        "[" * 4000,
        '{"waiting":-1}',
        '{"waiting":1e99}',
        '{"scanners":[{"device":7,"connected":true}]}',
        '{"scanners":[' + '{"device":"x","connected":true},' * 70 + "]}",
        json.dumps({"version": "x" * 300}),
        '{"version":"' + "x" * MAX_HEALTH + '"}',
        '{"version":"\udcff"}',
    ],
)
def test_what_is_out_of_bounds_is_not_believed(text: str) -> None:
    with pytest.raises(ProtocolError, match="Scantrail-Health"):
        StationHealth.from_header(text)


def test_what_is_not_known_is_passed_over() -> None:
    assert StationHealth.from_header('{"waiting":1,"mood":"good"}').waiting == 1


def test_a_station_tells_how_its_scanners_do(tmp_path: Path) -> None:
    now = Now()
    vitals = Vitals(tmp_path, lambda: 4, version="1.2", clock=now)
    scanner = ScannerReport(device="gun", connected=True, reads=0)
    vitals.look(_report(now, scanner))
    now.mono += 5 * SECOND
    scanner = ScannerReport(
        device="gun", connected=True, reads=9, damaged=2, no_reads=3, repeats=1
    )
    vitals.look(_report(now, scanner, unsaved=2))
    now.mono += 2 * SECOND
    gone = msgspec.structs.replace(scanner, connected=False, problem="plug it in")
    vitals.look(_report(now, gone))
    now.mono += 3 * SECOND
    found = StationHealth.from_header(vitals.header(_batch()))
    (state,) = found.scanners
    assert (state.connected, state.since, state.last_read) == (False, 3.0, 5.0)
    assert (state.reads, state.damaged, state.no_reads, state.repeats) == (9, 2, 3, 1)
    assert state.problem == "plug it in"
    assert (found.version, found.waiting, found.oldest) == ("1.2", 4, None)
    assert (found.disk_free or 0) > 0


def test_damaged_reads_of_the_last_hour_are_counted_apart(tmp_path: Path) -> None:
    now = Now()
    vitals = Vitals(tmp_path, lambda: 0, clock=now)
    for minute in range(200):
        damaged = min(minute, 100)
        scanner = ScannerReport(
            device="gun", connected=True, reads=minute, damaged=damaged
        )
        vitals.look(_report(now, scanner))
        now.mono += 60 * SECOND
    (state,) = StationHealth.from_header(vitals.header(_batch())).scanners
    assert (state.lately, state.damaged, state.damaged_lately) == (60, 100, 0)


def test_the_oldest_line_waits_by_the_boot_clock_where_it_can(tmp_path: Path) -> None:
    now = Now()
    vitals = Vitals(tmp_path, lambda: 2, clock=now)

    def oldest(line: bytes) -> float | None:
        return StationHealth.from_header(vitals.header(_batch(line))).oldest

    mono = now.mono - 90 * SECOND
    assert oldest(_line(0, action="see", boot="b1", mono=mono)) == 90.0
    yesterday = now().at - 86_400 * SECOND
    assert oldest(_line(yesterday, action="see", boot="b0", mono=5)) == 86_400.0
    assert oldest(_line(now().at + 5 * SECOND, action="see")) == 0.0
    assert oldest(b"not a line") is None


def test_a_station_without_a_report_yet_says_what_it_knows(tmp_path: Path) -> None:
    found = StationHealth.from_header(Vitals(tmp_path, lambda: 3).header(_batch()))
    assert (found.waiting, found.scanners) == (3, ())


def test_a_disk_that_is_not_there_has_no_room_to_tell_of(tmp_path: Path) -> None:
    assert free_bytes(tmp_path / "nowhere") is None
