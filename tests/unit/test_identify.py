"""What a scanner is set to, from what it sends of the set-up sheet."""

from collections.abc import Callable, Iterable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.config import Config
from edge.doctor import Finding, is_wrong
from edge.identify import Analysis, keys, port, pos
from edge.identify.match import GS, recognise
from edge.identify.port import Piece
from edge.identify.table import changes, table, with_scanner
from edge.scanners.hid_pos import HidPosSettings
from edge.scanners.keyboard import Event
from edge.scanners.keymap import LAYOUTS, KeyboardSettings
from edge.scanners.port_settings import FramingSettings, SerialSettings
from edge.scanners.settings import ScannerSettings, TerminalSettings
from shared.errors import ConfigError
from shared.selftest import PROBES
from shared.settings_file import parse_settings
from tests.typist import CAPS, CAPS_LOCK, CTRL, Typist, dropped

PATH = "/dev/input/by-id/gun"
DEFAULT = KeyboardSettings(path=PATH)
ALL = frozenset(range(1, len(PROBES) + 1))
RAW = [probe.raw for probe in PROBES]
BARE = [probe.data for probe in PROBES]
CTRL_BRACKET = ((CTRL,), (CAPS["]"],))


def _typed(
    typist: Typist,
    codes: Iterable[str] = tuple(RAW),
    *,
    gs: Callable[[Typist], list[Event]] = lambda t: t.chords([CTRL_BRACKET]),
    end: tuple[str, ...] = ("enter",),
    swap: bool = False,
) -> list[Event]:
    """Type the sheet as a scanner does, a second from code to code."""
    events: list[Event] = []
    for code in codes:
        first, *rest = (code.swapcase() if swap else code).split(GS)
        events += typist.text(first)
        for part in rest:
            events += [*gs(typist), *typist.text(part)]
        events += [event for key in end for event in typist.key(CAPS[key])]
        typist.pause(1000)
    return events


def _analysed(events: list[Event], *, caps_light: bool = False) -> Analysis:
    return keys.analyse(PATH, events, caps_light=caps_light)


def _wrong(found: Iterable[Finding]) -> list[str]:
    return [one.text for one in found if is_wrong(one)]


@pytest.mark.parametrize("layout", sorted(LAYOUTS))
def test_f26_the_layout_is_told_by_what_reads_right(layout: str) -> None:
    found = _analysed(_typed(Typist(layout)))
    assert found.seen == ALL
    assert found.settings == msgspec.structs.replace(DEFAULT, layout=layout)
    assert _wrong(found.findings) == []
    texts = [one.text for one in found.findings]
    assert f"the keyboard layout is {layout}" in texts


def test_a_scanner_that_is_set_up_well_needs_a_path_only() -> None:
    made = _analysed(_typed(Typist()))
    assert table(made.settings) == (
        f'[[scanner]]\nkind = "keyboard"\npath = "{PATH}"\n'
    )


@pytest.mark.parametrize(
    ("gs", "setting"),
    [
        (lambda t: t.key(66), "f8"),
        (lambda t: t.text("~"), "~"),
        (lambda t: t.chords([((CTRL,), (CAPS["b"],))]), "\x02"),
    ],
    ids=["f8", "tilde", "ctrl+b"],
)
def test_the_form_of_gs_is_found(
    gs: Callable[[Typist], list[Event]], setting: str
) -> None:
    found = _analysed(_typed(Typist(), gs=gs))
    assert found.seen == ALL
    made = found.settings
    assert isinstance(made, KeyboardSettings)
    assert made.separator == setting
    text = table(made)
    assert parse_settings(text, "t", Config).scanner == (made,)


def test_a_separator_that_is_not_sent_is_wrong() -> None:
    found = _analysed(_typed(Typist(), gs=lambda _: []))
    assert found.seen == ALL - {4, 6}
    assert _wrong(found.findings) == [
        "the GS1 separator does not arrive, so that fields run into one another"
    ]


@pytest.mark.parametrize(
    ("end", "terminators"),
    [
        (("enter",), DEFAULT.terminators),
        (("kpenter",), DEFAULT.terminators),
        (("tab",), DEFAULT.terminators),
        ((), ()),
    ],
    ids=["enter", "keypad", "tab", "none"],
)
def test_the_terminator_is_found(
    end: tuple[str, ...], terminators: tuple[str, ...]
) -> None:
    made = _analysed(_typed(Typist(), end=end))
    assert made.seen == ALL
    assert isinstance(made.settings, KeyboardSettings)
    assert made.settings.terminators == terminators
    assert bool(_wrong(made.findings)) == (not end)


def test_missing_identifiers_are_told_and_wrong_ones_too() -> None:
    without = _analysed(_typed(Typist(), BARE))
    assert without.rest == ()  # two codes of one content need one scan
    bare = _wrong(without.findings)
    assert len(bare) == 1
    assert "96385074" in bare[0]
    plain = [raw.replace("]C1", "]C0") for raw in RAW]
    wrong = _wrong(_analysed(_typed(Typist(), plain)).findings)
    assert any("code 4 says ]C0, and is ]C1" in text for text in wrong)


def test_f26_case_that_the_scanner_exchanges_is_wrong() -> None:
    found = _analysed(_typed(Typist(), swap=True))
    assert any(
        "upper and lower case are exchanged" in t for t in _wrong(found.findings)
    )


@pytest.mark.parametrize(("swap", "policy"), [(True, "apply"), (False, "ignore")])
def test_f26_caps_lock_of_the_host_is_made_up_for(policy: str, *, swap: bool) -> None:
    found = _analysed(_typed(Typist(), swap=swap), caps_light=True)
    assert isinstance(found.settings, KeyboardSettings)
    assert found.settings.caps_lock == policy
    assert any("Caps Lock is on" in text for text in _wrong(found.findings))


def test_a_prefix_that_only_the_scanner_can_take_off_is_wrong() -> None:
    found = _analysed(_typed(Typist(), [f"A.{raw}" for raw in RAW]))
    assert any("adds A. before" in text for text in _wrong(found.findings))
    assert found.seen == frozenset()


def test_a_slow_scanner_is_told_and_allowed_for() -> None:
    found = _analysed(_typed(Typist(step=80_000), RAW[:3]))
    assert found.seen == {1, 2, 3}
    assert isinstance(found.settings, KeyboardSettings)
    assert found.settings.slow_ms > 160
    assert found.settings.idle_gap_ms > DEFAULT.idle_gap_ms
    assert any("as slowly as a person" in text for text in _wrong(found.findings))


def test_f26_a_code_that_lost_characters_is_not_taken_for_one() -> None:
    typist = Typist()
    events = _typed(typist, RAW[:2])
    half = typist.text("TEST ")
    events += [*half, dropped(typist.at), *_typed(typist, RAW[2:3])]
    found = _analysed(events)
    assert found.seen == {1, 2}
    assert any("characters were lost" in text for text in _wrong(found.findings))


def test_digits_alone_leave_the_layout_open() -> None:
    found = _analysed(_typed(Typist("uk"), [BARE[4]]))
    assert found.seen == {5}
    (text,) = [one.text for one in found.findings if "layout" in one.text]
    assert "may be" in text
    assert "uk or us" in text


def test_what_is_not_of_the_sheet_is_shown_harmlessly() -> None:
    found = _analysed(_typed(Typist(), ["P-1\x1b[2J"]))
    assert found.seen == frozenset()
    assert all(one.text.isprintable() for one in found.findings)


def test_nothing_yet_is_no_error() -> None:
    assert _analysed([]).seen == frozenset()
    assert port.analyse(SerialSettings(port="/dev/x"), []).seen == frozenset()
    assert pos.analyse(HidPosSettings(path="/dev/x"), []).seen == frozenset()


def test_keys_are_shown_as_they_were_pressed() -> None:
    typist = Typist()
    assert keys.shown(typist.scan("Ab")) == "+42 30 48 28"
    assert keys.shown(typist.key(CAPS_LOCK)) == "+58"


@settings(deadline=None, max_examples=25)
@given(
    st.lists(
        st.builds(
            Event,
            time=st.integers(0, 10_000_000),
            type=st.sampled_from([0, 1, 4, 17]),
            code=st.integers(0, 255),
            value=st.integers(0, 2),
        ),
        max_size=60,
    ).map(lambda events: sorted(events, key=lambda event: event.time))
)
def test_no_keys_make_it_raise(events: list[Event]) -> None:
    found = _analysed(events)
    assert all(one.text.isprintable() for one in found.findings)


# --- serial ports ---------------------------------------------------------------------


def _sent(
    before: bytes = b"", after: bytes = b"\r", codes: Iterable[str] = tuple(RAW)
) -> list[Piece]:
    """Send the sheet as a serial scanner does, in two pieces a code."""
    pieces = []
    for number, code in enumerate(codes):
        data = before + code.encode("latin-1") + after
        at = number * 1_000_000
        pieces += [Piece(at, data[:5]), Piece(at + 30_000, data[5:])]
    return pieces


LINE = SerialSettings(port="/dev/ttyUSB0")


@pytest.mark.parametrize(
    ("before", "after", "framing"),
    [
        (b"", b"\r", FramingSettings()),
        (b"", b"\r\n", FramingSettings()),
        (b"\x02", b"\x03", FramingSettings(terminators=("ETX",), start="STX")),
        (b"\x02", b"\x03\r", FramingSettings(start="STX", suffix="ETX")),
        (b"N1:", b"#\n", FramingSettings(prefix="N1:", suffix="#")),
        (b"", b"\t", FramingSettings(terminators=("TAB",))),
        (b"", b"", FramingSettings(terminators=())),
    ],
    ids=["cr", "crlf", "stx-etx", "stx-etx-cr", "text", "tab", "none"],
)
def test_the_framing_is_found_and_reads_the_sheet(
    before: bytes, after: bytes, framing: FramingSettings
) -> None:
    found = port.analyse(LINE, _sent(before, after))
    assert found.settings == msgspec.structs.replace(LINE, framing=framing)
    assert found.seen == ALL
    assert bool(_wrong(found.findings)) == (not after)
    assert parse_settings(table(found.settings), "t", Config).scanner == (
        found.settings,
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [(b"", b"\r"), (b"", b"\r\n"), (b"\x02", b"\x03"), (b"\x02", b"\x03\r\n")],
    ids=["cr", "crlf", "stx-etx", "stx-etx-crlf"],
)
def test_codes_that_follow_one_another_at_once_are_told_apart(
    before: bytes, after: bytes
) -> None:
    data = b"".join(before + code.encode("latin-1") + after for code in RAW)
    found = port.analyse(LINE, [Piece(0, data)])
    assert found.seen == ALL
    assert _wrong(found.findings) == []


@pytest.mark.parametrize("odd", [0, 1])
def test_a_parity_bit_is_found(odd: int) -> None:
    def bit(byte: int) -> int:
        return byte | (0x80 if byte.bit_count() % 2 != odd else 0)

    pieces = [Piece(at, bytes(map(bit, data))) for at, data in _sent()]
    found = port.analyse(LINE, pieces)
    assert found.seen == ALL
    assert isinstance(found.settings, SerialSettings)
    assert found.settings.data_bits == 7
    assert found.settings.parity == ("odd" if odd else "even")


def test_f30_noise_says_that_the_speed_may_be_wrong() -> None:
    found = port.analyse(LINE, [Piece(0, b"\xf8\x80\x00\x1b[2J\xfe")])
    (text,) = _wrong(found.findings)
    assert text.startswith("no code of the sheet can be read at 9600 baud")
    assert text.isprintable()


def test_a_serial_scanner_without_gs_is_wrong() -> None:
    codes = [code.replace(GS, "<GS>") for code in RAW]
    found = port.analyse(LINE, _sent(codes=codes))
    assert found.seen == ALL - {4, 6}
    assert any("arrives as <GS>" in text for text in _wrong(found.findings))


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 400_000), st.binary(max_size=40))))
def test_no_bytes_make_it_raise(parts: list[tuple[int, bytes]]) -> None:
    at, pieces = 0, []
    for pause, data in parts:
        at += pause
        pieces.append(Piece(at, data))
    found = port.analyse(LINE, pieces)
    assert all(one.text.isprintable() for one in found.findings)


# --- point-of-sale scanners -----------------------------------------------------------


def test_a_point_of_sale_scanner_needs_its_suffix_at_most() -> None:
    given = HidPosSettings(path="05e0:1300")
    plain = pos.analyse(given, [raw.encode("latin-1") for raw in RAW])
    assert (plain.settings, plain.seen) == (given, ALL)
    assert _wrong(plain.findings) == []
    ended = pos.analyse(given, [raw.encode("latin-1") + b"\r" for raw in RAW])
    assert ended.settings == msgspec.structs.replace(given, suffix="\r")
    assert ended.seen == ALL


# --- the sheet, and the file ----------------------------------------------------------


def test_every_code_of_the_sheet_is_known_by_itself() -> None:
    for number, raw in enumerate(RAW, 1):
        match = recognise(raw)
        assert match
        assert (match.number, match.identified, match.exact) == (number, True, True)
    assert recognise("P-1") is None
    assert recognise("") is None


OLD = """\
# our dock
[workflow]
start = "receive"

[[scanner]]
kind = "keyboard"
path = "/dev/input/by-id/gun"
layout = "de"

# the gate
[[scanner]]
kind = "serial"
port = "/dev/ttyS0"

[scanner.framing]
prefix = "A"
"""


def _read(text: str) -> tuple[ScannerSettings, ...]:
    return parse_settings(text, "station.toml", Config).scanner


def test_a_scanner_takes_the_place_of_the_same_one_and_nothing_else_changes() -> None:
    new = with_scanner(OLD, "station.toml", DEFAULT)
    assert _read(new) == (DEFAULT, _read(OLD)[1])
    assert "# our dock" in new
    assert "# the gate\n[[scanner]]" in new
    assert [
        line for line in changes(OLD, new, "f").splitlines()[3:] if line[0] in "+-"
    ] == ['-layout = "de"']


def test_a_framing_goes_with_its_scanner() -> None:
    made = SerialSettings(port="/dev/ttyS0", framing=FramingSettings(suffix="B"))
    new = with_scanner(OLD, "station.toml", made)
    assert _read(new) == (_read(OLD)[0], made)
    assert "prefix" not in new


def test_another_scanner_is_added_at_the_end() -> None:
    made = SerialSettings(port="/dev/ttyS1", framing=FramingSettings(suffix="B"))
    new = with_scanner(OLD, "station.toml", made)
    assert _read(new) == (*_read(OLD), made)
    assert new.startswith(OLD)
    assert _read(with_scanner("", "station.toml", made)) == (made,)


@pytest.mark.parametrize(
    "old",
    [
        'scanner = [{ kind = "terminal" }]\n',
        f'[[scanner]]\nkind = "keyboard"\npath = "{PATH}"\n' * 2,
        "no toml",
    ],
    ids=["inline", "twice", "broken"],
)
def test_a_file_that_cannot_be_changed_safely_is_left_alone(old: str) -> None:
    with pytest.raises(ConfigError, match=r"station\.toml"):
        with_scanner(old, "station.toml", DEFAULT)


def test_a_table_says_nothing_that_is_a_default() -> None:
    assert table(TerminalSettings()) == '[[scanner]]\nkind = "terminal"\n'
    odd = HidPosSettings(path="/dev/x", suffix='"\\\x00\x7f\r')
    assert _read(table(odd)) == (odd,)
