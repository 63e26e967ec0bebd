"""How a station does, for who asks: running or not, and what waits."""

import os
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from prometheus_client.parser import text_string_to_metric_families

from edge import health, identity, notices
from edge.clock import read_clock
from edge.decisions import State
from edge.feedback import Alarm
from edge.figures import figures
from edge.health import OUTBOX, Report, ScannerReport, in_words, overview
from edge.identity import Identity
from edge.outbox import Outbox
from edge.scanners import ScannerHealth
from edge.sync import Raised, SyncStatus
from edge.texts import read_texts
from shared.errors import StartError
from shared.lines import Line
from tests.unit.picker import ENGLISH

NOW = read_clock()
REPORT = Report(
    pid=os.getpid(),
    boot=NOW.boot,
    mono=NOW.mono,
    clock_synced=False,
    state=State.UNREACHABLE,
    problem="no route\x1b[2J",
    last_contact="2026-04-27T08:00:00.000000Z",
    unsaved=2,
    mode="store",
    scanners=(ScannerReport(device="gun", connected=False, problem="plug it in"),),
)


async def _station(data: Path, lines: int = 3, *, joined: bool = True) -> None:
    box = await Outbox.open(data / OUTBOX)
    draft = Line(seq=0, at="2026-04-27T08:00:00.000000Z", action="see", item="P-1")
    await box.append([draft] * lines)
    await box.acknowledged(1, 0)
    await box.close()
    if joined:
        me = Identity(
            url="https://s.example.org",
            server="s",
            station="DOCK-2",
            epoch="e",
            location="NORTH",
            token="secret-token",  # noqa: S106 - must not be shown
            key=Ed25519PrivateKey.generate(),
        )
        identity.save(data, me)


def test_a_folder_without_a_station_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"there is no station in .* join URL CODE"):
        overview(tmp_path / "nowhere", NOW)


def test_a_folder_that_is_not_there_is_said_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="there is no such folder"):
        overview(tmp_path / "nowhere", NOW)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(StartError) as told:
        overview(tmp_path, NOW)
    assert "no such folder" not in str(told.value)


@pytest.mark.parametrize(("lines", "waits"), [(1, "0;"), (3, "2, safe here;")])
async def test_a_station_that_has_not_joined_claims_no_acknowledgement(
    tmp_path: Path, lines: int, waits: str
) -> None:
    await _station(tmp_path, lines, joined=False)
    text = "\n".join(in_words(overview(tmp_path, NOW)))
    assert f"{waits} it has not joined a server, so nothing is sent" in text
    assert "acknowledged" not in text


async def test_a_station_that_does_not_run_says_what_waits(tmp_path: Path) -> None:
    await _station(tmp_path)
    status = overview(tmp_path, NOW)
    assert (status.running, status.joined) == (False, True)
    assert (status.saved, status.acked, status.waiting) == (3, 1, 2)
    assert "2, safe here" in "\n".join(in_words(status))


async def test_a_running_station_says_how_it_does_in_clean_words(
    tmp_path: Path,
) -> None:
    await _station(tmp_path)
    health.write(tmp_path, REPORT)
    status = overview(tmp_path, NOW)
    assert status.running
    text = "\n".join(in_words(status))
    assert "the server cannot be reached" in text
    assert "no route<1B>[2J" in text
    assert "2 NOT saved yet" in text
    assert "gun: plug it in, 0 reads" in text
    assert "NOT synchronised" in text
    assert "secret-token" not in text + repr(status)


@pytest.mark.parametrize(
    "change",
    [
        {"ended": True},
        {"boot": "another"},
        {"mono": NOW.mono - 60_000_000},
        {"pid": 2**22 + 1},
    ],
)
async def test_a_report_left_behind_is_not_a_running_station(
    tmp_path: Path, change: dict[str, object]
) -> None:
    await _station(tmp_path)
    old = msgspec.structs.replace(REPORT, **change)
    health.write(tmp_path, old)
    status = overview(tmp_path, NOW)
    assert not status.running
    assert status.scanners == ()
    assert status.last_contact == REPORT.last_contact


async def test_a_damaged_report_is_passed_over(tmp_path: Path) -> None:
    await _station(tmp_path, joined=False)
    (tmp_path / "status.json").write_text("{")
    status = overview(tmp_path, NOW)
    assert (status.running, status.joined) == (False, False)
    assert status.state == "not joined to a server"


def test_a_scanners_health_is_told_in_utc() -> None:
    report = health.scanner_report(ScannerHealth(device="gun", last_read=0, damaged=1))
    assert report.last_read == "1970-01-01T00:00:00.000000Z"
    assert report.damaged == 1


# Notices

FINE = SyncStatus(state=State.UP_TO_DATE)
AWAY = SyncStatus(state=State.UNREACHABLE, problem="no answer", waiting=2)


def test_the_servers_going_and_coming_are_each_said_once() -> None:
    assert notices.of_sync(FINE, AWAY, ENGLISH) == ["no answer (2 waiting, safe here)"]
    later = msgspec.structs.replace(AWAY, waiting=5, retry_in=3.0)
    assert notices.of_sync(AWAY, later, ENGLISH) == []
    back = SyncStatus(state=State.SENDING, waiting=5)
    assert notices.of_sync(later, back, ENGLISH) == [
        "the server is back; 5 waiting are being sent"
    ]
    assert notices.of_sync(back, FINE, ENGLISH) == []


def test_an_alarm_is_said_whatever_else_holds() -> None:
    names = {"first": "8", "last": "20", "log": "a"}
    raised = Raised(kind=Alarm.REWOUND, names=names)
    alarmed = msgspec.structs.replace(FINE, alarm=raised)
    (text,) = notices.of_sync(FINE, alarmed, ENGLISH)
    assert text.startswith("the server no longer has lines 8 to 20 of log a")
    (german,) = notices.of_sync(FINE, alarmed, read_texts("de"))
    assert german.startswith("der Server hat die Zeilen 8 bis 20 des Logs a nicht mehr")
    assert notices.of_sync(alarmed, alarmed, ENGLISH) == []
    assert notices.of_sync(alarmed, FINE, ENGLISH) == [
        "the server has everything again that it had lost"
    ]


def test_a_scanners_going_and_coming_are_each_said_once() -> None:
    there = ScannerReport(device="gun", connected=True)
    gone = ScannerReport(device="gun", connected=False, problem="unplugged")
    assert notices.of_scanners([there], [gone], ENGLISH) == ["scanner gun: unplugged"]
    assert notices.of_scanners([gone], [gone], ENGLISH) == []
    assert notices.of_scanners([gone], [there], ENGLISH) == ["scanner gun is back"]
    assert notices.of_scanners([], [there], ENGLISH) == []


def test_a_clock_that_is_not_right_is_said_once() -> None:
    right = msgspec.structs.replace(REPORT, clock_synced=True)
    assert notices.of_clock(None, right, ENGLISH) == []
    assert "not synchronised" in notices.of_clock(None, REPORT, ENGLISH)[0]
    assert notices.of_clock(REPORT, REPORT, ENGLISH) == []
    assert notices.of_clock(REPORT, right, ENGLISH) == [
        "this machine's clock is synchronised"
    ]


async def test_the_figures_are_those_of_the_status_and_break_no_line(
    tmp_path: Path,
) -> None:
    await _station(tmp_path)
    odd = ScannerReport(device='a"b\\c\nd', connected=True, reads=7)
    report = msgspec.structs.replace(REPORT, scanners=(*REPORT.scanners, odd))
    health.write(tmp_path, report)
    text = figures(overview(tmp_path, NOW))
    found = {
        (sample.name, sample.labels.get("scanner")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    rows = [line for line in text.splitlines() if not line.startswith("#")]
    assert len(found) == len(rows)
    assert all('station="DOCK-2"' in row for row in rows)
    name = "scantrail_station_{}".format
    assert found[name("waiting_lines"), None] == found[name("unsaved_scans"), None] == 2
    assert found[name("running"), None] == 1
    assert found[name("scanner_connected"), "gun"] == 0
    assert found[name("scanner_reads"), 'a"b\\c?d'] == 7
    assert found[name("last_contact_seconds"), None] == 1777276800
