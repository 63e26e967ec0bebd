"""The station's screen on the machine's own display, in the sandbox of its unit."""

import shutil
from collections.abc import Iterator

import pytest

from tests.vm.installed import STATION
from tests.vm.kiosk import KIOSK, Kiosk
from tests.vm.prepare import TREE, Bench
from tests.vm.run_log import RunLog, Step

_SLOW = 600.0


@pytest.fixture(scope="module")
def kiosk(
    prepared: tuple[Bench, RunLog], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Kiosk]:
    bench, log = prepared
    with Kiosk(bench, log, tmp_path_factory.mktemp("vm")) as kiosk:
        yield kiosk


def test_the_unit_shows_the_stations_page_and_follows_its_scans(
    kiosk: Kiosk, step: Step
) -> None:
    begun = kiosk.guest.clock()
    kiosk.start(KIOSK)
    kiosk.wait_for_page()
    step.note(f"the page is open {kiosk.guest.clock() - begun:.0f} s after the start")
    before = kiosk.settled()
    kiosk.type("X-RECEIVE\nP-1\n")
    after = kiosk.changed(before)
    assert kiosk.colours(after) > 1
    keep = TREE / "build" / "kiosk.ppm"
    shutil.copyfile(after, keep)
    step.note(f"picture: {keep.relative_to(TREE)}")


def test_its_sandbox_holds_while_it_runs(kiosk: Kiosk, step: Step) -> None:
    shown = kiosk.shown(KIOSK)
    assert (shown["NoNewPrivileges"], shown["ProtectSystem"]) == ("yes", "strict")
    said = kiosk.guest.run(f"systemd-analyze security --no-pager {KIOSK}", limit=_SLOW)
    step.note(said.strip().splitlines()[-1])
    pids = kiosk.guest.run("pgrep -u scantrail-kiosk -d' '").split()
    assert len(pids) > 2
    for pid in pids:
        status = kiosk.guest.run(f"cat /proc/{pid}/status 2>/dev/null || true")
        assert "NoNewPrivs:\t1" in status or not status
    denied = kiosk.guest.run(
        "runuser -u scantrail-kiosk -- cat /var/lib/scantrail/main/outbox.db "
        ">/dev/null 2>&1; echo $?"
    )
    assert denied.strip() != "0"


def test_a_killed_browser_comes_back_and_so_does_the_page_after_the_station(
    kiosk: Kiosk, step: Step
) -> None:
    pid = kiosk.shown(KIOSK)["MainPID"]
    begun = kiosk.guest.clock()
    kiosk.guest.run(f"kill -KILL {pid}")
    kiosk.guest.until(
        lambda: kiosk.shown(KIOSK)["MainPID"] not in {pid, "0"}, "started again", _SLOW
    )
    kiosk.wait_for_page()
    step.note(f"killed: the page is back after {kiosk.guest.clock() - begun:.0f} s")
    begun = kiosk.guest.clock()
    kiosk.guest.run(f"systemctl restart {STATION}", limit=_SLOW)
    kiosk.wait_for_page()
    step.note(f"station restarted: after {kiosk.guest.clock() - begun:.0f} s")
    before = kiosk.settled()
    kiosk.type("P-2\n")
    kiosk.changed(before)
