"""Scanners that imitate a keyboard, on real /dev/input nodes."""

from itertools import pairwise

import pytest

from tests.vm.devices import Gadget, Identity, UsbKeyboard
from tests.vm.guest import Guest
from tests.vm.holders import hold_keyboard
from tests.vm.machine import Machine
from tests.vm.run_log import Step
from tests.vm.station import BIN, GuestStation, keyboard, texts

BY_ID = "/dev/input/by-id"
EMULATED = f"{BY_ID}/usb-QEMU_QEMU_USB_Keyboard_SCAN-1-event-kbd"
CODES = [f"P-1234567890abcdefghij-{number:03}" for number in range(60)]
PACES = (0.0, 0.001, 0.002, 0.004)
MISSING, BACK = 1.0, 2.0
"""Seconds: so soon a scanner that was unplugged is missing, and back."""


def played(guest: Guest, port: int, serial: str = "") -> tuple[Gadget, str]:
    """Plug in a scanner that the kernel plays; returns it with its by-path link."""
    gadget = Gadget(guest, port, Identity(serial=serial))
    gadget.plug()
    link = f"/dev/input/by-path/platform-dummy_hcd.{port}-usb-0:1:1.0-event-kbd"
    guest.wait_for(link)
    return gadget, link


def test_codes_typed_at_full_speed_are_whole(
    guest: Guest, station: GuestStation, step: Step
) -> None:
    gadget, link = played(guest, 0)
    station.start(keyboard(link))
    station.connected()
    told = 0
    for pace in PACES:
        done = gadget.type("".join(f"{code}\n" for code in CODES), pause=pace).result()
        gadget.type("\n").result()
        rate = sum(len(code) + 1 for code in CODES) / done.took
        lines = texts(station.settled())[told:]
        told += len(lines)
        damaged = sum(hurt for _, hurt in lines)
        step.note(f"{rate:.0f} characters/s: {damaged} of {len(lines)} damaged")
        whole = [code for code, hurt in lines if not hurt]
        assert set(whole) <= set(CODES), "a code was shortened, and not marked"
        assert len(whole) == len(set(whole))
        if not damaged:
            assert whole == CODES
            return
    pytest.fail(f"damaged even at {PACES[-1]} s from report to report")


def test_f23_two_scanners_at_once_never_mix(
    guest: Guest, station: GuestStation, step: Step
) -> None:
    pairs = [played(guest, port, f"S{port}") for port in range(2)]
    station.start(
        "".join(keyboard(link, f"gun-{n}") for n, (_, link) in enumerate(pairs))
    )
    codes = [[f"P-{n}-{'ab'[n] * 12}-{k}" for k in range(30)] for n in range(2)]
    for scanner in range(2):
        station.connected(scanner)
    start = guest.clock() + 1.0
    jobs = [
        gadget.type("".join(f"{code}\n" for code in mine), start=start, pause=0.003)
        for (gadget, _), mine in zip(pairs, codes, strict=True)
    ]
    done = [job.result() for job in jobs]
    latest_start = max(one.begun for one in done)
    first_end = min(one.begun + one.took for one in done)
    assert first_end - latest_start > 0.5, "they did not type at once"
    lines = station.settled()
    for scanner in range(2):
        mine = [line for line in lines if line.device == f"gun-{scanner}"]
        assert texts(mine) == [(code, False) for code in codes[scanner]]
    turns = sum(a.device != b.device for a, b in pairwise(lines))
    assert turns > 5
    step.note(f"{len(lines)} codes, {turns} changes from one scanner to the other")


def test_f22_a_keyboard_unplugged_in_mid_read_comes_back(
    machine: Machine, station: GuestStation, step: Step
) -> None:
    guest = machine.guest
    scanner = UsbKeyboard(machine, "kbd", "SCAN-1")
    scanner.plug()
    guest.wait_for(EMULATED)
    station.start(keyboard(EMULATED, idle_gap_ms=10_000))
    station.connected()
    scanner.type("P-whole\n")
    station.reads(1)
    scanner.type("P-ha")
    scanner.unplug()
    gone = guest.wait_for(EMULATED, gone=True)
    missing = station.missing()
    station.reads(2)
    scanner.plug()
    there = guest.wait_for(EMULATED)
    back = station.connected()
    scanner.type("P-next\n")
    lines = texts(station.settled(3))
    assert lines == [("P-whole", False), ("P-ha", True), ("P-next", False)]
    step.note(f"missing after {missing.clock - gone:.2f} s")
    step.note(f"back after {back.clock - there:.2f} s")
    assert missing.clock - gone <= MISSING
    assert back.clock - there <= BACK
    assert "plug it in again" in station.said() or "is not there" in station.said()


def test_f22_a_scanner_unplugged_while_it_types_at_full_speed(
    guest: Guest, station: GuestStation, step: Step
) -> None:
    gadget, link = played(guest, 0)
    station.start(keyboard(link, idle_gap_ms=10_000))
    station.connected()
    gadget.type("P-before\n").result()
    long = "P-" + "0123456789" * 60
    gadget.type(long, pause=0.002)
    guest.run("sleep 0.7")
    gadget.unplug()
    gone = guest.wait_for(link, gone=True)
    missing = station.missing()
    gadget.plug()
    there = guest.wait_for(link)
    back = station.connected()
    gadget.type("P-after\n").result()
    (before, half, after) = texts(station.settled(3))
    assert (before, after) == (("P-before", False), ("P-after", False))
    assert half[1]
    assert long.startswith(half[0])
    assert 2 < len(half[0]) < len(long)
    step.note(f"{len(half[0])} of {len(long)} characters are kept as damaged")
    step.note(f"missing after {missing.clock - gone:.2f} s")
    step.note(f"back after {back.clock - there:.2f} s")
    assert missing.clock - gone <= MISSING
    assert back.clock - there <= BACK


def test_f26_what_a_stopped_station_missed_is_damaged_and_never_shorter(
    guest: Guest, station: GuestStation, step: Step
) -> None:
    gadget, link = played(guest, 0)
    station.start(keyboard(link))
    station.connected()
    gadget.type("P-before\n").result()
    station.reads(1)
    station.signal("STOP")
    code = "P-" + "0123456789" * 5
    gadget.type(f"{code}\n").result()  # 4 events a character, and room for 64
    station.signal("CONT")
    station.reads(2)
    gadget.type("P-after\n").result()
    lines = texts(station.settled(3))
    assert [lines[0], lines[-1]] == [("P-before", False), ("P-after", False)]
    assert all(hurt for _, hurt in lines[1:-1])
    kept = lines[1][0]
    assert kept != code, "the kernel's buffer did not overrun"
    step.note(f"kept of {len(code)} characters, as damaged: {kept!r}")


def test_a_stopped_station_still_has_what_the_kernel_could_hold(
    guest: Guest, station: GuestStation
) -> None:
    gadget, link = played(guest, 0)
    station.start(keyboard(link))
    station.connected()
    station.signal("STOP")
    gadget.type("P-0123456789ab\n").result()
    station.signal("CONT")
    assert texts(station.settled(1)) == [("P-0123456789ab", False)]


def test_a_scanner_is_found_by_each_of_its_names(
    guest: Guest, station: GuestStation, step: Step
) -> None:
    _, path = played(guest, 0, "SN1")
    played(guest, 1, "SN2")
    names = [
        f"{BY_ID}/usb-Symbol_Bar_Code_Scanner_SN1-event-kbd",
        path,
        "05e0:1200:"
        + guest.run(
            "basename $(dirname $(grep -lx SN1 /sys/bus/usb/devices/*/serial))"
        ).strip(),
    ]
    node = guest.run(f"realpath {path}").strip()
    guest.wait_for(names[0])
    for name in names:
        station.start(keyboard(name))
        station.connected()
        held = guest.run(f"ls -l /proc/{station.pid}/fd")
        assert f"-> {node}\n" in held
        assert held.count("/dev/input") == 1, "another device is open, too"
        station.stop()
    step.note(", ".join(names))


def test_two_scanners_without_serial_numbers_share_a_link_and_it_is_said(
    guest: Guest, station: GuestStation, step: Step
) -> None:
    pairs = [played(guest, port) for port in range(2)]
    shared = f"{BY_ID}/usb-Symbol_Bar_Code_Scanner-event-kbd"
    station.start(keyboard(shared))
    problem = station.connected().scanner.problem
    assert "stands for 2 scanners" in problem
    assert all(link in problem for _, link in pairs)
    station.stop()
    station.start("".join(keyboard(link, link[-30:]) for _, link in pairs))
    for scanner, (gadget, _) in enumerate(pairs):
        assert not station.connected(scanner).scanner.problem
        gadget.type(f"P-{scanner}\n").result()
        station.reads(1, scanner)
    assert texts(station.settled(2)) == [("P-0", False), ("P-1", False)]
    station.stop()
    station.start(keyboard("05e0:1200"))
    missing = station.missing().scanner
    assert "several scanners are 05e0:1200" in missing.problem
    step.note(missing.problem)


def test_f28_a_device_that_another_program_has_grabbed_names_it(
    guest: Guest, station: GuestStation, step: Step
) -> None:
    gadget, link = played(guest, 0)
    pid = hold_keyboard(guest, link)
    station.start(keyboard(link), user="root")
    problem = station.missing().scanner.problem
    assert f"(pid {pid})" in problem
    assert "is held by python" in problem
    step.note(problem)
    guest.run(f"kill {pid}")
    station.connected()
    gadget.type("P-1\n").result()
    assert texts(station.settled(1)) == [("P-1", False)]


_READER = """
import os, select, sys
from evdev import InputDevice
device = InputDevice(sys.argv[1])
open("/run/listening", "w").close()
while select.select([device.fd], [], [], 5)[0]:
    for event in device.read():
        print(event, flush=True)
"""


def test_f28_what_a_scanner_types_reaches_nobody_else(
    guest: Guest, station: GuestStation
) -> None:
    gadget, link = played(guest, 0)
    guest.put("/run/reader.py", _READER)
    station.start(keyboard(link))
    station.connected()
    reader = guest.start(f"{BIN}/python /run/reader.py {link}")
    guest.wait_for("/run/listening")
    gadget.type("P-secret\n").result()
    station.reads(1)
    assert reader.result().out == ""
    station.stop()
    guest.run("rm /run/listening")
    reader = guest.start(f"{BIN}/python /run/reader.py {link}")
    guest.wait_for("/run/listening")
    gadget.type("p\n").result()
    assert "event" in reader.result().out, "the reader would have heard nothing"
