"""The Debian packages, installed and running under systemd, sandboxed as they ship."""

import json
import re
from collections.abc import Iterator

import pytest

from tests.vm.devices import UsbSerial
from tests.vm.installed import LINK, SERVER, STATION, InstalledSite
from tests.vm.prepare import VERSIONS, Bench
from tests.vm.run_log import RunLog, Step
from tests.vm.station import as_user, keyboard, serial_port

PORT = "/dev/serial/by-id/usb-QEMU_QEMU_USB_SERIAL_SCN-1-if00-port0"
EXPOSURE = {SERVER: 1.2, STATION: 1.3, "scantrail-backup.service": 1.2}
BACKUPS = "/var/backups/scantrail"
_SLOW = 300.0
BOTH = pytest.mark.parametrize("unit", [SERVER, STATION])


@pytest.fixture(scope="module")
def site(
    prepared: tuple[Bench, RunLog], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[InstalledSite]:
    bench, log = prepared
    with InstalledSite(bench, log, tmp_path_factory.mktemp("vm")) as site:
        yield site


def test_a_scan_goes_from_a_usb_keyboard_to_the_servers_answer(
    site: InstalledSite, step: Step
) -> None:
    site.wait_for_scanner()
    assert not site.clock_synced()
    site.guest.run(
        "mkdir -p /run/systemd/timesync; touch /run/systemd/timesync/synchronized"
    )
    site.guest.until(site.clock_synced, "the sandboxed station knows its clock", _SLOW)
    site.type("X-RECEIVE\n")
    times = [site.scan(f"P-{number}") for number in range(1, 6)]
    step.note(f"{min(times):.2f} to {max(times):.2f} s from Enter to the answer")
    traced = site.guest.run(
        f"scantrail trace P-1 --server '{site.url}' --key {site.key}", limit=_SLOW
    )
    assert "DOCK-1" in traced
    step.show(traced)
    step.show(site.guest.run(f"systemctl status --no-pager -n0 {SERVER} {STATION}"))


def test_systemd_finds_nothing_wrong_with_the_units_and_they_are_closed(
    site: InstalledSite, step: Step
) -> None:
    units = " ".join([*EXPOSURE, "scantrail-backup.timer"])
    said = site.guest.run(f"systemd-analyze verify --man=no {units} 2>&1", limit=_SLOW)
    assert said == ""
    for unit, most in EXPOSURE.items():
        shown = site.guest.run(
            f"systemd-analyze security --no-pager {unit}", limit=_SLOW
        )
        (exposure,) = re.findall(r"Overall exposure level for \S+: ([\d.]+)", shown)
        step.note(f"{unit} {exposure}")
        assert float(exposure) <= most, shown


def test_a_scanner_that_comes_after_the_station_is_read(
    site: InstalledSite, step: Step
) -> None:
    """Its unit names devices by their drivers, of which none may come too late."""
    site.wait_for_scanner()
    site.scanner.unplug()
    site.guest.wait_for(LINK, gone=True)
    site.scanner.plug()
    site.guest.wait_for(LINK)
    site.wait_for_scanner()
    step.note(f"keyboard: {site.scan('P-REPLUGGED'):.2f} s to the answer")
    port = UsbSerial(site.machine, "serial", "SCN-1")
    try:
        site.configure(keyboard(LINK, "dock") + serial_port(PORT))
        site.guest.run(f"systemctl restart {STATION}", limit=_SLOW)
        port.plug()
        site.guest.wait_for(PORT)
        site.guest.until(
            lambda: "2 of 2" in site.shown(STATION)["StatusText"], "both", _SLOW
        )

        def scan() -> float:
            port.send(b"P-SERIAL\r")
            return site.guest.clock()

        step.note(f"serial: {site.answered('P-SERIAL', scan):.2f} s to the answer")
        port.unplug()
    finally:
        port.wire.close()
        site.configure(keyboard(LINK, "dock"))
        site.guest.run(f"systemctl restart {STATION}", limit=_SLOW)


@BOTH
def test_a_killed_service_comes_back_and_nothing_is_lost(
    site: InstalledSite, step: Step, unit: str
) -> None:
    site.wait_for_scanner()
    pid = site.shown(unit)["MainPID"]
    begun = site.guest.clock()
    site.guest.run(f"kill -KILL {pid}")
    if unit == SERVER:
        site.type("P-WHILE-AWAY\n")
    site.wait_until_up(unit, pid)
    step.note(f"ready {site.guest.clock() - begun:.1f} s after kill -9")
    assert site.shown(unit)["NRestarts"] != "0"
    site.wait_for_scanner()
    if unit == SERVER:
        site.answered("P-WHILE-AWAY", site.guest.clock)
    site.scan(f"P-AFTER-{'SERVER' if unit == SERVER else 'STATION'}")


@BOTH
def test_the_watchdog_ends_a_service_that_hangs(
    site: InstalledSite, step: Step, unit: str
) -> None:
    """With shorter times than the unit's, to be done in this life."""
    shorter = "[Service]\nWatchdogSec=8\nTimeoutAbortSec=2\n"
    site.guest.put(f"/run/systemd/system/{unit}.d/shorter.conf", shorter)
    site.guest.run(f"systemctl daemon-reload; systemctl restart {unit}", limit=_SLOW)
    site.wait_until_up(unit)
    pid = site.shown(unit)["MainPID"]
    begun = site.guest.clock()
    site.guest.run(f"kill -STOP {pid}")
    site.wait_until_up(unit, pid)
    took = site.guest.clock() - begun
    said = site.guest.run(f"journalctl -u {unit} -o cat")
    assert "Failed with result 'watchdog'" in said, said
    step.note(f"with WatchdogSec=8 it is back {took:.1f} s after it was stopped")
    site.guest.run(f"rm -r /run/systemd/system/{unit}.d; systemctl daemon-reload")
    site.guest.run(f"systemctl restart {unit}", limit=_SLOW)
    site.wait_for_scanner()
    site.scan(f"P-WATCHED-{'SERVER' if unit == SERVER else 'STATION'}")


def test_doctor_says_that_nothing_is_wrong_with_an_installed_station(
    site: InstalledSite, step: Step
) -> None:
    site.wait_for_scanner()
    doctor = "scantrail-station doctor --data /var/lib/scantrail/main"
    said = site.guest.run(f"{as_user(doctor, 'scantrail')} || true", limit=_SLOW)
    step.show(said)
    lines = [line.strip() for line in said.splitlines()]
    assert f"dock: keyboard {site.guest.run(f'realpath {LINK}').strip()}" in said
    assert not [line for line in lines if line.startswith("WRONG")]
    assert "udev rules: /usr/lib/udev/rules.d/61-scantrail.rules" in said
    server = "scantrail-server doctor --config /etc/scantrail/server.toml"
    step.show(
        site.guest.run(f"{as_user(server, 'scantrail-server')} || true", limit=_SLOW)
    )


def test_the_timer_makes_a_checked_backup_tells_stations_and_prunes(
    site: InstalledSite, step: Step
) -> None:
    """The unit keeps 14; so many are there already, and it is night."""
    site.scan("P-BACKED-UP")
    run = site.guest.run
    site.start("scantrail-backup.timer")
    run("systemctl start scantrail-backup.service", limit=_SLOW)
    (first,) = run(f"ls {BACKUPS}").split()
    older = [f"2020-01-{day:02}T00-00-00Z" for day in range(1, 14)]
    for name in older:
        run(f"cp -a {BACKUPS}/{first} {BACKUPS}/{name}")
    begun = site.guest.clock()
    run("date -s 'tomorrow 02:51:00 UTC'")  # past the longest random delay
    site.guest.until(
        lambda: (
            len(set(run(f"ls {BACKUPS}").split()) - {first, *older}) == 1
            and site.shown("scantrail-backup.service")["ActiveState"] == "inactive"
        ),
        "the timer fires",
        _SLOW,
        every=0.5,
    )
    step.note(f"fired and done in {site.guest.clock() - begun:.0f} s")
    assert site.shown("scantrail-backup.service")["Result"] == "success"
    there = run(f"ls {BACKUPS}").split()
    assert len(there) == 14
    assert older[0] not in there
    new = f"{BACKUPS}/{there[-1]}"
    assert site.guest.look([f"{new}/manifest.json"]).there[f"{new}/manifest.json"]
    verify = "scantrail-server verify --data /var/lib/scantrail-server --against " + new
    step.show(run(f"{as_user(verify, 'scantrail-server')} 2>&1", limit=_SLOW))
    status = "scantrail-station status --json --data /var/lib/scantrail/main"
    site.wait_for_scanner()

    def told() -> bool:
        said = json.loads(run(as_user(status, "scantrail"), limit=_SLOW))
        return bool(said["backed_up"] > 0 and said["waiting"] == 0)

    site.guest.until(told, "the station knows what is backed up", _SLOW, every=1.0)
    site.scan("P-AFTER-BACKUP")


def test_after_a_restart_of_the_machine_everything_is_there_and_goes_on(
    site: InstalledSite, step: Step
) -> None:
    site.scan("P-BEFORE-RESTART")
    boot = site.guest.run("cat /proc/sys/kernel/random/boot_id")
    site.restart(step)
    assert site.guest.run("cat /proc/sys/kernel/random/boot_id") != boot
    for unit in (SERVER, STATION):
        site.wait_until_up(unit)
    site.wait_for_scanner()
    site.answered("P-BEFORE-RESTART", site.guest.clock)
    site.type("X-RECEIVE\n")
    step.note(f"{site.scan('P-AFTER-RESTART'):.2f} s from Enter to the answer")
    failed = site.guest.run("systemctl list-units --failed --plain --no-legend")
    assert "scantrail" not in failed, failed


def test_an_upgrade_goes_on_and_purging_keeps_every_scan(
    site: InstalledSite, step: Step
) -> None:
    """The last: nothing is installed any more when it has ended."""
    pids = {unit: site.shown(unit)["MainPID"] for unit in (SERVER, STATION)}
    begun = site.guest.clock()
    site.install(VERSIONS[1])
    for unit, pid in pids.items():
        site.wait_until_up(unit, pid)
    step.note(f"upgraded while it ran, in {site.guest.clock() - begun:.0f} s")
    site.wait_for_scanner()
    site.scan("P-UPGRADED")
    names = "scantrail-server scantrail-station"
    site.guest.run(f"dpkg -r {names} 2>&1", limit=_SLOW)
    for unit in (SERVER, STATION):
        assert site.shown(unit)["ActiveState"] == "inactive"
    said = site.guest.run(f"dpkg -P {names} 2>&1", limit=_SLOW)
    assert "/var/lib/scantrail stays: scans are in it" in said
    assert "/var/lib/scantrail-server stays" in said
    there = site.guest.look(
        [
            "/var/lib/scantrail/main/outbox.db",
            "/var/lib/scantrail-server/scantrail.db",
            "/opt/scantrail-station",
            "/usr/lib/systemd/system/scantrail-server.service",
        ]
    ).there
    assert list(there.values()) == [True, True, False, False], json.dumps(there)
