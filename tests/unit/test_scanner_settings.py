"""What may be configured, and what is refused with words."""

from inspect import cleandoc
from typing import Any, get_args

import msgspec
import pytest

from edge.clock import read_clock
from edge.scanners.framing import Framing
from edge.scanners.opening import DRIVERS, open_scanner
from edge.scanners.serial_port import find_port
from edge.scanners.settings import (
    FramingSettings,
    HidPosSettings,
    KeyboardSettings,
    ListenSettings,
    ScannerSettings,
    SerialSettings,
    SsiSettings,
    TcpSettings,
    TerminalSettings,
    from_spec,
)
from shared.errors import ConfigError

KINDS: tuple[type[msgspec.Struct], ...] = get_args(ScannerSettings)


def convert(**fields: object) -> Any:  # noqa: ANN401 - one of seven types
    return msgspec.convert(fields, ScannerSettings)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("serial:/dev/ttyACM0", SerialSettings(port="/dev/ttyACM0")),
        ("serial:0c2e:0b61", SerialSettings(port="0c2e:0b61")),
        ("ssi:/dev/ttyUSB0", SsiSettings(port="/dev/ttyUSB0")),
        ("evdev:/dev/input/event3", KeyboardSettings(path="/dev/input/event3")),
        ("hidpos:05e0:1300", HidPosSettings(path="05e0:1300")),
        ("tcp:10.0.0.7:2112", TcpSettings(host="10.0.0.7", port=2112)),
        ("tcp:[fe80::1]:23", TcpSettings(host="fe80::1", port=23)),
        ("listen:0.0.0.0:9000", ListenSettings(host="0.0.0.0", port=9000)),  # noqa: S104 - a spec
        ("terminal", TerminalSettings()),
    ],
)
def test_a_scanner_is_named_on_the_command_line(spec: str, expected: object) -> None:
    assert from_spec(spec) == expected


@pytest.mark.parametrize(
    "spec",
    [
        "",
        ":",
        "serial",
        "serial:",
        "serial:ttyACM0",
        "usb:/dev/x",
        "tcp:host",
        "tcp:host:0",
        "tcp:host:65536",
        "tcp:host:http",
        "tcp:fe80::1:23",
        "tcp:" + "h" * 300 + ":1",
        "terminal:",
        "terminal:x",
        "Terminal",
        "evdev:",
    ],
)
def test_what_is_no_scanner_is_refused_with_what_was_expected(spec: str) -> None:
    with pytest.raises(ConfigError, match="expected") as caught:
        from_spec(spec)
    assert caught.value.source == "--scanner"
    assert repr(spec) in caught.value.text


def test_a_configuration_says_the_kind_and_any_field() -> None:
    settings = convert(
        kind="serial",
        port="/dev/serial/by-id/usb-x",
        name="dock",
        baud=115200,
        parity="even",
        framing={"terminators": ["ETX"], "start": "STX", "idle_gap_ms": 500},
        profile="datalogic",
    )
    assert settings.device == "dock"
    assert settings.framing.framing() == Framing(
        terminators=(b"\x03",), start=b"\x02", tail=2_000_000
    )
    assert settings.framing.idle_gap == 0.5


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "serial"},
        {"kind": "serial", "port": "/dev/x", "speed": 9600},
        {"kind": "serial", "port": "/dev/x", "baud": 1},
        {"kind": "serial", "port": "/dev/x", "profile": "beep"},
        {"kind": "serial", "port": "/dev/x", "framing": {"idle_gap_ms": 1}},
        {"kind": "serial", "port": "/dev/x", "framing": {"gap": 100}},
        {"kind": "serial", "port": "/dev/x", "framing": {"terminators": [""]}},
        {"kind": "serial", "port": "/dev/x", "framing": {"terminators": ["\x1d"]}},
        {"kind": "serial", "port": "/dev/x", "framing": {"terminators": ["€"]}},
        {"kind": "serial", "port": "/dev/x", "framing": {"prefix": "€"}},
        {"kind": "serial", "port": "/dev/x", "framing": {"start": "ab"}},
        {"kind": "serial", "port": "/dev/x", "framing": {"start": "CR"}},
        {"kind": "tcp", "host": "h", "port": 1, "separator": "€"},
        {"kind": "tcp", "host": "", "port": 1},
        {"kind": "listen", "host": "h", "port": 1, "allow": ["10.0.0.1/8"]},
        {"kind": "listen", "host": "h", "port": 1, "allow": ["everybody"]},
        {"kind": "terminal", "fd": 3},
        {"kind": "bluetooth"},
        {},
    ],
)
def test_what_makes_no_sense_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        convert(**fields)


def test_markers_are_names_or_the_text_itself() -> None:
    settings = FramingSettings(
        terminators=("CR", "LF", "CRLF", "TAB", "ETX", "##", "é"), suffix="*"
    )
    assert settings.framing().terminators == (
        *(b"\r", b"\n", b"\r\n", b"\t", b"\x03", b"##", b"\xe9"),
    )
    assert settings.framing().suffix == b"*"


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_driver_that_opens_nothing_before_it_runs(
    kind: type[Any],
) -> None:
    given: dict[str, object] = {"path": "05e0:1200", "host": "127.0.0.1", "port": 1}
    if issubclass(kind, SerialSettings | SsiSettings):
        given["port"] = "/nowhere"
    required = {f.name for f in msgspec.structs.fields(kind) if f.required}
    settings = kind(**{name: given[name] for name in required})
    scanner = open_scanner(settings, read_clock)
    assert scanner.health.device == settings.device
    assert not scanner.health.connected
    assert set(DRIVERS) == set(KINDS)


@pytest.mark.parametrize("kind", [*KINDS, FramingSettings])
def test_every_field_is_described(kind: type[msgspec.Struct]) -> None:
    words = "".join(cleandoc(base.__doc__ or "") for base in kind.__mro__)
    for field in msgspec.structs.fields(kind):
        assert f"\n    {field.name}: " in words


class Port:
    def __init__(self, device: str, vid: int | None, pid: int | None, sn: str) -> None:
        self.device, self.vid, self.pid = device, vid, pid
        self.serial_number: str | None = sn


PORTS = [
    Port("/dev/ttyS0", None, None, ""),
    Port("/dev/ttyACM0", 0x0C2E, 0x0B61, "A1"),
    Port("/dev/ttyACM1", 0x0C2E, 0x0B61, "B2"),
    Port("/dev/ttyUSB0", 0x0403, 0x6001, "C3"),
]


def test_a_port_is_found_by_its_path_or_by_what_is_behind_it() -> None:
    assert find_port("/dev/ttyS9", PORTS) == "/dev/ttyS9"
    assert find_port("0403:6001", PORTS) == "/dev/ttyUSB0"
    assert find_port("0C2E:0b61:B2", PORTS) == "/dev/ttyACM1"


@pytest.mark.parametrize(
    ("wanted", "text"),
    [("0c2e:0b61", "not unique"), ("0c2e:ffff", "No such device")],
)
def test_f23_a_port_that_is_not_certain_is_not_taken(wanted: str, text: str) -> None:
    with pytest.raises(OSError, match=text):
        find_port(wanted, PORTS)
