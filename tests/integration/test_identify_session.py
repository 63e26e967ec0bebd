"""Identifying a scanner over pipes and pseudo-terminals, down to the file."""

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from edge.cli import main
from edge.config import load
from edge.identify.ears import Openers
from edge.identify.session import Wish, identify
from edge.scanners.hid_pos import HidPosSettings
from edge.scanners.input_device import RECORD
from edge.scanners.keyboard import Event
from edge.scanners.keymap import KeyboardSettings
from edge.scanners.plugged import FileSource
from edge.scanners.port_settings import FramingSettings, SerialSettings
from shared.errors import ConfigError, StartError
from shared.selftest import PROBES
from tests.hid_scanner import reports
from tests.machine import Machine
from tests.typist import CAPS, CTRL, Typist

RAW = [probe.raw for probe in PROBES]
GUN = "/dev/input/by-path/pci-usb-1-1-event-kbd"


class Pipes:
    """Devices that are pipes: what was opened, and a way to send to each."""

    def __init__(self) -> None:
        self.opened: list[str] = []
        self._write: dict[str, int] = {}
        self.error: Exception | None = None

    def _open(self, node: str) -> FileSource:
        if self.error:
            raise self.error
        self.opened.append(node)
        # packets, as hidraw gives one report a read
        ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for end in ends:
            end.setblocking(False)  # noqa: FBT003 - its only parameter
        self._write[node] = ends[0].detach()
        return FileSource(ends[1].detach())

    def send(self, node: str, data: bytes) -> None:
        os.write(self._write[node], data)

    def unplug(self, node: str) -> None:
        os.close(self._write.pop(node))

    def close(self) -> None:
        for descriptor in self._write.values():
            os.close(descriptor)

    @property
    def openers(self) -> Openers:
        return Openers(
            keyboard=lambda node, _: (self._open(node), False), pos=self._open
        )


@pytest.fixture
def pipes() -> Iterator[Pipes]:
    made = Pipes()
    yield made
    made.close()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "root")


def _packed(events: list[Event]) -> bytes:
    return b"".join(
        RECORD.pack(e.time // 1_000_000, e.time % 1_000_000, e.type, e.code, e.value)
        for e in events
    )


def _typed(typist: Typist, code: str) -> bytes:
    first, *rest = code.split("\x1d")
    events = typist.text(first)
    for part in rest:
        events += [*typist.chords([((CTRL,), (CAPS["]"],))]), *typist.text(part)]
    events += typist.key(CAPS["enter"])
    typist.pause(1000)
    return _packed(events)


class Session:
    """What is said, and what happens when a line that is waited for is said.

    ``plan`` maps the beginning of a line to what happens once it is said.
    """

    def __init__(self, plan: dict[str, Callable[[], None]]) -> None:
        self.said: list[str] = []
        self._plan = plan

    def say(self, text: str) -> None:
        self.said.append(text)
        for start in [start for start in self._plan if text.lstrip().startswith(start)]:
            self._plan.pop(start)()

    @property
    def text(self) -> str:
        return "\n".join(self.said)


def _wish(data: Path, *specs: str, **more: object) -> Wish:
    wish = Wish(specs=specs, data=data, seconds=0.05)
    return msgspec.structs.replace(wish, **more)


def test_a_keyboard_scanner_is_identified_and_written(
    machine: Machine, pipes: Pipes, tmp_path: Path
) -> None:
    node = machine.keyboard(5, "1-1")
    machine.keyboard(6, "1-9", by_id="usb-Somebody_Typing")
    typist = Typist("de")

    def scan() -> None:
        for code in RAW:
            pipes.send(node, _typed(typist, code))

    session = Session({"Scan the set-up sheet": scan})
    wish = _wish(tmp_path, f"evdev:{GUN}", write=True, name="gun")
    assert identify(wish, session.say, root=machine.root, openers=pipes.openers)
    assert pipes.opened == [node]
    assert load(None, tmp_path).scanner == (
        KeyboardSettings(path=GUN, name="gun", layout="de"),
    )
    assert "the keyboard layout is de" in session.text
    assert "TEST AMQWYZ amqwyz  (code 1 of the sheet)" in session.text
    assert '+layout = "de"' in session.text


def test_without_write_what_would_change_is_shown_and_nothing_written(
    machine: Machine, pipes: Pipes, tmp_path: Path
) -> None:
    node = machine.keyboard(5, "1-1")
    file = tmp_path / "station.toml"
    old = f'[[scanner]]\nkind = "keyboard"\npath = "{GUN}"\nlayout = "fr"\n'
    file.write_text(old)
    session = Session(
        {"Scan the set-up sheet": lambda: pipes.send(node, _typed(Typist(), RAW[2]))}
    )
    wish = _wish(tmp_path, f"evdev:{GUN}")
    assert identify(wish, session.say, root=machine.root, openers=pipes.openers)
    assert '-layout = "fr"' in session.text
    assert "Nothing was written" in session.text
    assert file.read_text() == old


def test_the_file_keeps_its_mode_and_a_broken_one_is_left_alone(
    machine: Machine, pipes: Pipes, tmp_path: Path
) -> None:
    node = machine.keyboard(5, "1-1")
    file = tmp_path / "station.toml"
    file.write_text("# ours\n")
    file.chmod(0o640)

    def again() -> Session:
        return Session(
            {"Scan the set-up": lambda: pipes.send(node, _typed(Typist(), RAW[2]))}
        )

    wish = _wish(tmp_path, f"evdev:{GUN}", write=True)
    assert identify(wish, again().say, root=machine.root, openers=pipes.openers)
    assert file.stat().st_mode & 0o777 == 0o640
    assert file.read_text().startswith("# ours\n")
    session = again()
    assert identify(wish, session.say, root=machine.root, openers=pipes.openers)
    assert "says so already" in session.text
    file.write_text("broken")
    with pytest.raises(ConfigError):
        identify(wish, again().say, root=machine.root, openers=pipes.openers)
    assert file.read_text() == "broken"


def test_of_several_the_one_that_is_scanned_with_is_meant(
    machine: Machine, pipes: Pipes, tmp_path: Path
) -> None:
    one = machine.keyboard(5, "1-1")
    two = machine.keyboard(6, "1-2")
    three = machine.keyboard(7, "1-3")
    not_named = machine.keyboard(8, "1-4")
    typist = Typist()
    let_go = []

    def others_are_closed() -> None:
        for other in (one, three):
            with pytest.raises(BrokenPipeError):
                pipes.send(other, b"x")
            let_go.append(other)

    session = Session(
        {
            "Scan the set-up": lambda: pipes.send(two, _typed(typist, RAW[2])),
            "This one": others_are_closed,
        }
    )
    assert identify(
        _wish(tmp_path, write=True),
        session.say,
        ask=lambda _: "1, 3 2",
        root=machine.root,
        openers=pipes.openers,
    )
    assert pipes.opened == [one, two, three]
    assert not_named not in pipes.opened
    assert let_go == [one, three]
    assert session.text.count(f"This one: keyboard {two}") == 1
    (made,) = load(None, tmp_path).scanner
    assert made == KeyboardSettings(path="/dev/input/by-path/pci-usb-1-2-event-kbd")


@pytest.mark.parametrize("answer", ["", "0", "9", "1 x", "-1"])
def test_nothing_is_opened_unless_it_was_chosen(
    machine: Machine, pipes: Pipes, tmp_path: Path, answer: str
) -> None:
    machine.keyboard(5, "1-1")
    session = Session({})
    with pytest.raises(StartError, match="nothing was opened"):
        identify(
            _wish(tmp_path),
            session.say,
            ask=lambda _: answer,
            root=machine.root,
            openers=pipes.openers,
        )
    assert not identify(
        _wish(tmp_path), session.say, root=machine.root, openers=pipes.openers
    )
    assert pipes.opened == []
    assert f"evdev:{GUN}" in session.text


def test_a_machine_without_scanners_says_so(machine: Machine, tmp_path: Path) -> None:
    with pytest.raises(StartError, match="plug it in"):
        identify(_wish(tmp_path), print, root=machine.root)


def test_a_point_of_sale_scanner_is_identified(
    machine: Machine, pipes: Pipes, tmp_path: Path
) -> None:
    node = machine.hid(0, "1-2")

    def scan() -> None:
        for raw in RAW:
            for data in reports(raw[3:].encode("latin-1"), raw[:3].encode()):
                pipes.send(node, data)

    session = Session({"Scan the set-up": scan})
    wish = _wish(tmp_path, f"hidpos:{node}", write=True)
    assert identify(wish, session.say, root=machine.root, openers=pipes.openers)
    assert load(None, tmp_path).scanner == (HidPosSettings(path="05e0:1300:1-2"),)


def test_a_serial_scanner_is_identified_at_a_real_port(tmp_path: Path) -> None:
    master, slave = os.openpty()
    path = os.ttyname(slave)

    def scan() -> None:
        for raw in RAW:
            os.write(master, b"\x02" + raw.encode("latin-1") + b"\x03")

    session = Session({"Scan the set-up": scan})
    wish = _wish(tmp_path, f"serial:{path}", write=True, baud=115_200)
    try:
        assert identify(wish, session.say)
    finally:
        os.close(master)
        os.close(slave)
    assert load(None, tmp_path).scanner == (
        SerialSettings(
            port=path,
            baud=115_200,
            framing=FramingSettings(terminators=("ETX",), start="STX"),
        ),
    )
    assert "bytes <02>]C0TEST" in session.text


def test_f22_a_scanner_that_is_unplugged_meanwhile_says_so(
    machine: Machine, pipes: Pipes, tmp_path: Path
) -> None:
    node = machine.keyboard(5, "1-1")
    session = Session({"Scan the set-up": lambda: pipes.unplug(node)})
    wish = _wish(tmp_path, f"evdev:{GUN}")
    with pytest.raises(StartError, match="has come to its end"):
        identify(wish, session.say, root=machine.root, openers=pipes.openers)


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (ImportError("evdev"), "evdev, which is not installed"),
        (OSError(16, "busy"), r"is held by Xorg \(pid 7\)"),
        (OSError(13, "denied"), "may not be opened by this user"),
    ],
)
def test_f28_a_device_that_cannot_be_had_says_why(
    machine: Machine, pipes: Pipes, tmp_path: Path, error: Exception, says: str
) -> None:
    node = machine.keyboard(5, "1-1")
    machine.process(7, "Xorg", node)
    pipes.error = error
    with pytest.raises(StartError, match=says):
        identify(
            _wish(tmp_path, f"evdev:{GUN}"),
            print,
            root=machine.root,
            openers=pipes.openers,
        )


def test_what_no_code_of_the_sheet_says_gives_no_settings(
    machine: Machine, pipes: Pipes, tmp_path: Path
) -> None:
    node = machine.keyboard(5, "1-1")
    session = Session(
        {"Scan the set-up": lambda: pipes.send(node, _typed(Typist(), "P-1"))}
    )
    wish = _wish(tmp_path, f"evdev:{GUN}", write=True)
    assert not identify(wish, session.say, root=machine.root, openers=pipes.openers)
    assert "P-1  (not recognised)" in session.text
    assert not (tmp_path / "station.toml").exists()


def test_silence_ends_it_without_an_answer(
    machine: Machine, pipes: Pipes, tmp_path: Path
) -> None:
    machine.keyboard(5, "1-1")
    session = Session({})
    wish = _wish(tmp_path, f"evdev:{GUN}")
    assert not identify(wish, session.say, root=machine.root, openers=pipes.openers)
    assert session.said[-1] == "Nothing more came for 0.05 s."


def test_the_command_refuses_what_is_no_device_here(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["identify", "tcp:10.0.0.1:9004", "--data", str(tmp_path)]
    assert main(arguments) == 1
    assert "expected evdev:PATH, hidpos:PATH or serial:PATH" in capsys.readouterr().err
