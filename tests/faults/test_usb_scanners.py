"""USB scanners through their faults, over pipes that stand for the device."""

import asyncio
import contextlib
import errno
import fcntl
import os
import socket
import sys
import termios
import threading
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Self

import msgspec
import pytest

from edge.clock import read_clock
from edge.scanners import Read, Tone, plugged
from edge.scanners.decoded import Damage
from edge.scanners.hid_pos import HidPosScanner, HidPosSettings, open_hidraw
from edge.scanners.input_device import RECORD, InputDeviceScanner, open_grabbed
from edge.scanners.intake import Intake, Source
from edge.scanners.keyboard import Event, KeyboardSettings
from edge.scanners.plugged import FileSource, PluggedScanner
from tests.hid_scanner import reports
from tests.machine import Machine
from tests.typist import CAPS, Typist, dropped

LIMIT = 5.0


def packed(events: Iterable[Event]) -> bytes:
    return b"".join(
        RECORD.pack(time // 10**6, time % 10**6, *rest) for time, *rest in events
    )


async def until(condition: Callable[[], object], limit: float = LIMIT) -> None:
    async with asyncio.timeout(limit):
        while not condition():  # noqa: ASYNC110 - another thread makes it true
            await asyncio.sleep(0.002)


async def soon(_: float) -> None:
    await asyncio.sleep(0.005)


class Wire(FileSource):
    """The read end of a pipe; ``fails`` is raised instead of the end of the input."""

    def __init__(self, fd: int, fails: int | None = None) -> None:
        super().__init__(fd)
        self.fails = fails
        self.closed = False

    def read(self) -> bytes | None:
        data = super().read()
        if data is None and self.fails:
            raise OSError(self.fails, os.strerror(self.fails))
        return data

    def close(self) -> None:
        self.closed = True
        super().close()


class Bench:
    """A machine whose nodes are pipes, and all that was delivered from them."""

    def __init__(self, root: Path) -> None:
        self.machine = Machine(root)
        self.opened: list[str] = []
        self.reads: list[Read] = []
        self.ends: dict[str, int] = {}
        self.wires: list[Wire] = []
        self.fails: int | None = errno.ENODEV
        self.refuses: Exception | None = None
        self.may_take = asyncio.Event()
        self.may_take.set()

    def open(self, node: str, _: object = None) -> tuple[Source, bool]:
        self.opened.append(node)
        if self.refuses:
            raise self.refuses
        ours, theirs = os.pipe()
        os.set_blocking(ours, False)
        self.ends[node] = theirs
        self.wires.append(Wire(ours, self.fails))
        return self.wires[-1], False

    async def sink(self, read: Read) -> None:
        await self.may_take.wait()
        self.reads.append(read)

    def keyboard(self, path: str, **fields: object) -> InputDeviceScanner:
        settings = msgspec.convert(
            {"kind": "keyboard", "path": path, "name": path[-16:], **fields},
            KeyboardSettings,
        )
        return InputDeviceScanner(
            settings,
            read_clock,
            root=self.machine.root,
            opener=self.open,
            sleep=soon,
        )

    def type(self, node: str, events: Iterable[Event]) -> None:
        os.write(self.ends[node], packed(events))

    def pull(self, node: str) -> None:
        self.machine.unplug(node)
        os.close(self.ends.pop(node))

    @contextlib.asynccontextmanager
    async def running(self, *scanners: PluggedScanner) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(scanner.run(self.sink)) for scanner in scanners]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            done = await asyncio.gather(*tasks, return_exceptions=True)
            assert all(isinstance(one, asyncio.CancelledError) for one in done)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(tmp_path / "root")
    yield bench
    for end in bench.ends.values():
        os.close(end)
    assert all(wire.closed for wire in bench.wires)
    await until(lambda: not [t for t in threading.enumerate() if t.name == "intake"])


def codes(bench: Bench) -> list[bytes]:
    return [read.raw for read in bench.reads]


def trusted(bench: Bench) -> list[bytes]:
    return [read.raw for read in bench.reads if not read.damaged]


async def test_a_scan_is_delivered_with_its_device_and_clock(bench: Bench) -> None:
    node = bench.machine.keyboard(3, "1-1")
    scanner = bench.keyboard(node, name="dock 1")
    async with bench.running(scanner):
        await until(lambda: scanner.health.connected)
        bench.type(node, Typist().scan("P-000123"))
        await until(lambda: bench.reads)
    (read,) = bench.reads
    assert (read.raw, read.device) == (b"P-000123", "dock 1")
    assert not read.damaged
    assert not read.unterminated
    assert read.clock.boot == read_clock().boot
    assert (scanner.health.reads, scanner.health.last_read) == (1, read.clock.at)
    await scanner.confirm(read, Tone.GOOD)


async def test_only_the_configured_device_is_opened(bench: Bench) -> None:
    bench.machine.keyboard(0, "1-1")
    node = bench.machine.keyboard(3, "1-2")
    scanner = bench.keyboard("/dev/input/by-path/pci-usb-1-2-event-kbd")
    async with bench.running(scanner):
        await until(lambda: scanner.health.connected)
    assert bench.opened == [node]


@pytest.mark.parametrize("error", [errno.ENODEV, errno.EIO, None])
async def test_f22_unplugged_in_mid_frame(bench: Bench, error: int | None) -> None:
    bench.fails = error
    node = bench.machine.keyboard(3, "1-1")
    scanner = bench.keyboard("05e0:1200")
    async with bench.running(scanner):
        await until(lambda: scanner.health.connected)
        bench.type(node, Typist().text("P-0001"))
        bench.pull(node)
        await until(lambda: not scanner.health.connected)
        await until(
            lambda: "is not there; plug the scanner in" in scanner.health.problem
        )
        assert [(r.raw, r.damaged, r.unterminated) for r in bench.reads] == [
            (b"P-0001", True, True)
        ]
        assert bench.wires[0].closed
        again = bench.machine.keyboard(7, "1-4")
        await until(lambda: scanner.health.connected)
        bench.type(again, Typist().scan("P-000123"))
        await until(lambda: len(bench.reads) == 2)
    assert bench.reads[1].raw == b"P-000123"
    assert not bench.reads[1].damaged
    assert (scanner.health.reconnects, scanner.health.damaged) == (1, 1)
    assert scanner.damage == {Damage.GONE: 1}


def test_f22_a_scanner_is_looked_for_often_enough_to_be_back_in_2_s() -> None:
    assert plugged._RETRY + plugged._SETTLE < 1


async def test_f22_a_vanished_scanner_is_missing_even_while_the_station_is_stuck(
    bench: Bench,
) -> None:
    node = bench.machine.keyboard(3, "1-1")
    scanner = bench.keyboard(node)
    async with bench.running(scanner):
        await until(lambda: scanner.health.connected)
        bench.may_take.clear()
        bench.type(node, Typist().scan("P-1"))
        await until(lambda: scanner.health.reads == 1)
        bench.pull(node)
        await until(lambda: not scanner.health.connected)
        assert bench.reads == []
        bench.may_take.set()
        await until(lambda: bench.reads)
    assert codes(bench) == [b"P-1"]


async def test_f22_a_descriptor_that_is_ready_for_ever_is_gone(bench: Bench) -> None:
    class Ready(Wire):
        def read(self) -> bytes | None:
            with contextlib.suppress(BlockingIOError):
                super().read()
            return FileSource.read(self)

    node = bench.machine.keyboard(3, "1-1")
    scanner = bench.keyboard(node)
    ours, theirs = os.pipe()
    os.set_blocking(ours, False)
    empty, unused = os.pipe()  # nothing ever comes here, but the other is waited for
    os.set_blocking(empty, False)
    wire = Ready(empty)
    wire.fileno = lambda: ours  # type: ignore[method-assign]
    openings = 0

    def opener(node: str, settings: KeyboardSettings) -> tuple[Source, bool]:
        nonlocal openings
        openings += 1
        return (wire, False) if openings == 1 else bench.open(node, settings)

    scanner._opener = opener
    os.write(theirs, b"x")
    async with bench.running(scanner):
        await until(lambda: openings > 1 and scanner.health.connected)
    assert wire.closed
    for fd in (ours, theirs, unused):
        os.close(fd)


async def test_f22_what_began_before_the_scanner_was_opened_is_damaged(
    bench: Bench,
) -> None:
    node = bench.machine.keyboard(3, "1-1")
    scanner = bench.keyboard(node)
    plain = bench.open

    def opener(name: str, settings: KeyboardSettings) -> tuple[Source, bool]:
        opened = plain(name, settings)
        bench.type(name, Typist().scan("00123"))  # of P-000123
        return opened

    scanner._opener = opener
    async with bench.running(scanner):
        await until(lambda: bench.reads)
    assert bench.reads[0].damaged


async def test_f23_two_scanners_at_once_never_mix(bench: Bench) -> None:
    nodes = [bench.machine.keyboard(n, f"1-{n}") for n in (3, 4)]
    scanners = [bench.keyboard(node, name=node[-1]) for node in nodes]
    sent = {
        "3": [f"A-{n:06}" for n in range(40)],
        "4": [f"B-{n:06}" for n in range(40)],
    }
    async with bench.running(*scanners):
        await until(lambda: all(scanner.health.connected for scanner in scanners))
        typists = {node: Typist() for node in nodes}
        for left, right in zip(sent["3"], sent["4"], strict=True):
            events = [
                (nodes[side], typists[nodes[side]].scan(code))
                for side, code in enumerate((left, right))
            ]
            for place in range(0, max(len(e) for _, e in events), 3):
                for node, typed in events:
                    bench.type(node, typed[place : place + 3])
        await until(lambda: len(bench.reads) == 80)
    for name, all_codes in sent.items():
        raws = [read.raw.decode() for read in bench.reads if read.device == name]
        assert raws == all_codes
    assert not any(read.damaged for read in bench.reads)


async def test_f24_a_read_without_terminator_ends_by_silence(bench: Bench) -> None:
    node = bench.machine.keyboard(3, "1-1")
    scanner = bench.keyboard(node, terminators=[], idle_gap_ms=60)
    async with bench.running(scanner):
        await until(lambda: scanner.health.connected)
        bench.type(node, Typist().text("P-000123"))
        await until(lambda: bench.reads)
    assert bench.reads[0].raw == b"P-000123"
    assert bench.reads[0].unterminated
    assert not bench.reads[0].damaged


async def test_f26_an_overrun_of_the_kernel_is_a_damaged_read(bench: Bench) -> None:
    node = bench.machine.keyboard(3, "1-1")
    scanner = bench.keyboard(node)
    async with bench.running(scanner):
        await until(lambda: scanner.health.connected)
        typist = Typist()
        lost = typist.scan("P-000123")
        bench.type(node, [*lost[:9], dropped(lost[30].time), *lost[30:]])
        typist.pause(500)
        bench.type(node, typist.scan("P-000124"))
        await until(lambda: len(bench.reads) == 2)
    assert [read.damaged for read in bench.reads] == [True, False]
    assert bench.reads[1].raw == b"P-000124"
    assert scanner.damage == {Damage.LOST: 1}


async def test_f26_records_in_parts_are_put_together(bench: Bench) -> None:
    node = bench.machine.keyboard(3, "1-1")
    scanner = bench.keyboard(node)
    async with bench.running(scanner):
        await until(lambda: scanner.health.connected)
        data = packed(Typist().scan("P-1"))
        for at in range(0, len(data), 7):
            os.write(bench.ends[node], data[at : at + 7])
        await until(lambda: bench.reads)
    assert codes(bench) == [b"P-1"]
    assert not bench.reads[0].damaged


async def test_f27_one_code_twice_in_100_ms_is_two_reads(bench: Bench) -> None:
    node = bench.machine.keyboard(3, "1-1")
    scanner = bench.keyboard(node)
    async with bench.running(scanner):
        await until(lambda: scanner.health.connected)
        typist = Typist(step=500)
        bench.type(node, [*typist.scan("P-1"), *typist.scan("P-1")])
        await until(lambda: len(bench.reads) == 2)
    assert codes(bench) == [b"P-1", b"P-1"]


async def test_f28_what_a_person_types_is_recorded_and_not_believed(
    bench: Bench,
) -> None:
    node = bench.machine.keyboard(3, "1-1")
    scanner = bench.keyboard(node)
    async with bench.running(scanner):
        await until(lambda: scanner.health.connected)
        typist = Typist(step=25_000)
        for letter in "x-pick":
            bench.type(node, typist.text(letter))
            typist.pause(200)
        bench.type(node, typist.key(CAPS["enter"]))
        await until(lambda: len(bench.reads) == 6)
    assert all(read.damaged for read in bench.reads)
    assert scanner.health.damaged == 6
    assert scanner.damage == {Damage.SLOW: 6}


def waiting(end: int) -> int:
    """Bytes in a pipe that its reader has not taken yet."""
    count = fcntl.ioctl(end, termios.FIONREAD, bytes(4))
    return int.from_bytes(count, sys.byteorder)


async def test_f31_a_flood_is_bounded_and_what_is_lost_of_it_is_marked(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    intakes: list[Intake] = []

    class Noted(Intake):
        async def __aenter__(self) -> Self:
            intakes.append(self)
            return await super().__aenter__()

    monkeypatch.setattr(plugged, "_CAPACITY", 1 << 14)
    monkeypatch.setattr(plugged, "Intake", Noted)
    node = bench.machine.keyboard(3, "1-1")
    scanner = bench.keyboard(node)
    sent = [f"P-{number:06}" for number in range(300)]
    typist = Typist()
    async with bench.running(scanner):
        await until(lambda: scanner.health.connected)
        bench.may_take.clear()
        for code in sent:
            bench.type(node, typist.scan(code))
            await until(lambda: not waiting(bench.ends[node]))
        (intake,) = intakes
        assert intake._used <= 1 << 14
        bench.may_take.set()
        await until(lambda: not intake._used)
        for code in ("AFTER", "LAST"):  # the first may be what hears of the loss
            typist.pause(2000)
            bench.type(node, typist.scan(code))
        await until(lambda: trusted(bench)[-1:] == [b"LAST"])
    assert scanner.damage[Damage.LOST] > 0
    flood = [raw.decode() for raw in trusted(bench) if raw.startswith(b"P-")]
    assert flood == sent[: len(flood)]
    assert 0 < len(flood) < len(sent)


async def test_f31_a_flood_of_one_scanner_leaves_the_other_alone(bench: Bench) -> None:
    nodes = [bench.machine.keyboard(number, f"1-{number}") for number in (3, 4)]
    flooding, other = (bench.keyboard(node, name=node[-1]) for node in nodes)
    typist = Typist()
    async with bench.running(flooding, other):
        await until(lambda: flooding.health.connected and other.health.connected)
        for number in range(100):
            bench.type(nodes[0], typist.scan(f"P-{number:06}"))
            await until(lambda: not waiting(bench.ends[nodes[0]]))
        bench.type(nodes[1], Typist().scan("Q-1"))
        await until(lambda: len(bench.reads) == 101)
    assert [r.raw for r in bench.reads if r.device == "4"] == [b"Q-1"]
    assert not any(read.damaged for read in bench.reads)


@pytest.mark.parametrize(
    ("refusal", "says"),
    [
        (OSError(errno.EBUSY, "busy"), "held by Xorg (pid 812)"),
        (OSError(errno.EACCES, "denied"), "add the user to that group"),
        (OSError(errno.EPERM, "not permitted"), "allow it in the unit"),
        (OSError(errno.ENOENT, "No such file"), "could not be opened (No such file)"),
        (ModuleNotFoundError("evdev"), "pip install 'scantrail[edge]'"),
    ],
)
async def test_a_device_that_cannot_be_opened_says_what_to_do(
    bench: Bench, refusal: Exception, says: str
) -> None:
    node = bench.machine.keyboard(3, "1-1")
    bench.machine.process(812, "Xorg", node)
    bench.refuses = refusal
    scanner = bench.keyboard(node)
    async with bench.running(scanner):
        await until(lambda: says in scanner.health.problem)
        assert not scanner.health.connected
        bench.refuses = None
        await until(lambda: scanner.health.connected)
    assert scanner.health.reconnects == 0


async def test_a_scanner_can_be_stopped_at_any_moment(bench: Bench) -> None:
    bench.machine.keyboard(3, "1-1")
    bench.refuses = OSError(errno.EBUSY, "busy")
    stopped = 0
    for turns in range(60):
        task = asyncio.create_task(bench.keyboard("05e0:1200").run(bench.sink))
        await until(lambda: bench.opened)
        for _ in range(turns % 20):
            await asyncio.sleep(0)
        task.cancel()
        done, _ = await asyncio.wait({task}, timeout=LIMIT)
        stopped += task in done and task.cancelled()
        bench.opened.clear()
    assert stopped == 60


async def test_a_missing_device_is_waited_for(bench: Bench) -> None:
    scanner = bench.keyboard("/dev/input/by-id/usb-Symbol_Scanner-event-kbd")
    async with bench.running(scanner):
        await until(lambda: "is not there; plug" in scanner.health.problem)
        bench.machine.keyboard(3, "1-1")
        await until(lambda: scanner.health.connected)
        assert scanner.health.problem == ""


async def test_a_path_that_is_no_keyboard_is_not_opened(bench: Bench) -> None:
    bench.machine.serial("ttyUSB0", "1-1")
    scanner = bench.keyboard("/dev/ttyUSB0")
    async with bench.running(scanner):
        await until(lambda: "no scanner of this kind" in scanner.health.problem)
    assert bench.opened == []


async def test_two_identical_scanners_by_vendor_and_product_are_a_question(
    bench: Bench,
) -> None:
    bench.machine.keyboard(3, "1-1")
    bench.machine.keyboard(4, "1-2")
    scanner = bench.keyboard("05e0:1200")
    async with bench.running(scanner):
        await until(lambda: "05e0:1200:1-1 or 05e0:1200:1-2" in scanner.health.problem)
    assert bench.opened == []


async def test_two_identical_scanners_that_share_a_link_are_said_to(
    bench: Bench,
) -> None:
    bench.machine.keyboard(3, "1-1")
    node = bench.machine.keyboard(4, "1-2")
    scanner = bench.keyboard("/dev/input/by-id/usb-Symbol_Scanner-event-kbd")
    async with bench.running(scanner):
        await until(lambda: scanner.health.connected)
        assert "stands for 2 scanners" in scanner.health.problem
        assert "by-path/pci-usb-1-1-event-kbd" in scanner.health.problem
    assert bench.opened == [node]


async def test_an_unexpected_error_is_not_swallowed(bench: Bench) -> None:
    bench.machine.keyboard(3, "1-1")
    bench.refuses = ZeroDivisionError("a mistake in the program")
    scanner = bench.keyboard("05e0:1200")
    with pytest.raises(ZeroDivisionError):
        await asyncio.wait_for(scanner.run(bench.sink), LIMIT)


class FakeDevice:
    """What evdev 2 offers, as far as it is used."""

    def __init__(self, path: str, *, readonly: bool = False) -> None:
        self.path, self.readonly = path, readonly
        self.fd = os.open(os.devnull, os.O_RDONLY)
        self.grabbed = self.closed = False
        self.grab_error: OSError | None = None
        FakeDevice.latest = self

    latest: "FakeDevice"

    def grab(self) -> None:
        if self.path == "/dev/held":
            raise OSError(errno.EBUSY, "busy")
        self.grabbed = True

    def leds(self) -> list[int]:
        return [0, 1] if self.path == "/dev/caps" else []

    def close(self) -> None:
        self.closed = True
        os.close(self.fd)


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, bytes]]:
    module = ModuleType("evdev")
    module.InputDevice = FakeDevice  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "evdev", module)
    calls: list[tuple[int, bytes]] = []
    monkeypatch.setattr(
        fcntl, "ioctl", lambda _, code, value: calls.append((code, value))
    )
    return calls


def test_f28_a_device_is_grabbed_read_only_on_a_clock_that_never_jumps(
    clocks: list[tuple[int, bytes]],
) -> None:
    source, caps_light = open_grabbed("/dev/x", KeyboardSettings(path="/dev/x"))
    device = FakeDevice.latest
    assert device.grabbed
    assert device.readonly
    assert not caps_light
    clock = (0x400445A0, (1).to_bytes(4, sys.byteorder))
    no_scan_codes = (0x40104593, (4).to_bytes(4, sys.byteorder) + bytes(12))
    assert clocks == [clock, no_scan_codes]
    source.close()
    assert device.closed


def test_f28_a_device_is_left_to_others_only_where_that_is_configured(
    clocks: list[tuple[int, bytes]],
) -> None:
    settings = KeyboardSettings(path="/dev/x", grab=False)
    open_grabbed("/dev/x", settings)[0].close()
    assert not FakeDevice.latest.grabbed
    assert clocks


def test_f28_a_device_that_another_program_has_is_not_read(
    clocks: list[tuple[int, bytes]],
) -> None:
    with pytest.raises(OSError, match="busy"):
        open_grabbed("/dev/held", KeyboardSettings(path="/dev/held"))
    assert FakeDevice.latest.closed
    assert clocks == []


@pytest.mark.usefixtures("clocks")
def test_f26_the_caps_lock_light_is_asked_for() -> None:
    source, caps_light = open_grabbed("/dev/caps", KeyboardSettings(path="/dev/caps"))
    source.close()
    assert caps_light


def test_without_evdev_opening_is_an_import_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "evdev", None)
    with pytest.raises(ImportError):
        open_grabbed("/dev/x", KeyboardSettings(path="/dev/x"))


class PosBench(Bench):
    """A machine whose hidraw nodes keep reports apart, as the kernel does."""

    def open_pos(self, node: str) -> Source:
        self.opened.append(node)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        os.set_blocking(ours.fileno(), False)
        self.ends[node] = theirs.detach()
        self.wires.append(Wire(ours.detach(), self.fails))
        return self.wires[-1]

    def pos(self, path: str) -> HidPosScanner:
        return HidPosScanner(
            HidPosSettings(path=path, idle_gap_ms=60),
            read_clock,
            root=self.machine.root,
            opener=self.open_pos,
            sleep=soon,
        )

    def send(self, node: str, given: Iterable[bytes]) -> None:
        for report in given:
            os.write(self.ends[node], report)


@pytest.fixture
async def pos_bench(tmp_path: Path) -> AsyncIterator[PosBench]:
    bench = PosBench(tmp_path / "root")
    yield bench
    for end in bench.ends.values():
        os.close(end)
    assert all(wire.closed for wire in bench.wires)


async def test_a_point_of_sale_scanner_delivers_codes_with_their_symbology(
    pos_bench: PosBench,
) -> None:
    node = pos_bench.machine.hid(0, "1-1")
    scanner = pos_bench.pos("05e0:1300")
    async with pos_bench.running(scanner):
        await until(lambda: scanner.health.connected)
        pos_bench.send(node, reports(b"00340123450000000018"))
        pos_bench.send(node, reports(b"7" * 200, b"]d2"))
        await until(lambda: len(pos_bench.reads) == 2)
    assert codes(pos_bench) == [b"]C100340123450000000018", b"]d2" + b"7" * 200]
    assert not any(read.damaged for read in pos_bench.reads)


async def test_f22_a_point_of_sale_scanner_unplugged_between_reports(
    pos_bench: PosBench,
) -> None:
    node = pos_bench.machine.hid(0, "1-1")
    scanner = pos_bench.pos("05e0:1300")
    async with pos_bench.running(scanner):
        await until(lambda: scanner.health.connected)
        pos_bench.send(node, reports(b"7" * 200)[:2])
        pos_bench.pull(node)
        await until(lambda: pos_bench.reads)
        await until(lambda: "is not there" in scanner.health.problem)
        again = pos_bench.machine.hid(1, "1-1x")
        await until(lambda: scanner.health.connected)
        pos_bench.send(again, reports(b"8"))
        await until(lambda: len(pos_bench.reads) == 2)
    assert [read.damaged for read in pos_bench.reads] == [True, False]
    assert scanner.health.reconnects == 1


async def test_a_code_whose_rest_never_comes_is_damaged(pos_bench: PosBench) -> None:
    node = pos_bench.machine.hid(0, "1-1")
    scanner = pos_bench.pos("05e0:1300")
    async with pos_bench.running(scanner):
        await until(lambda: scanner.health.connected)
        pos_bench.send(node, reports(b"7" * 200)[:2])
        await until(lambda: pos_bench.reads)
    assert scanner.damage == {Damage.CUT: 1}


async def test_a_point_of_sale_node_that_may_not_be_opened_says_what_to_do(
    pos_bench: PosBench,
) -> None:
    pos_bench.machine.hid(0, "1-1")
    scanner = pos_bench.pos("05e0:1300")

    def refused(_: str) -> Source:
        raise PermissionError(errno.EACCES, "denied")

    scanner._opener = refused
    async with pos_bench.running(scanner):
        await until(lambda: "udev rules" in scanner.health.problem)


def test_a_hidraw_node_is_opened_for_reading_only(tmp_path: Path) -> None:
    (tmp_path / "hidraw0").write_bytes(b"report")
    source = open_hidraw(str(tmp_path / "hidraw0"))
    try:
        assert source.read() == b"report"
        assert source.read() is None
        assert not source.write(b"x")
    finally:
        source.close()
        source.close()  # what has gone already is no error
