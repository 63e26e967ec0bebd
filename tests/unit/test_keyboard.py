from collections.abc import Iterable

import msgspec
import pytest

from edge.scanners.decoded import Damage, Decoded
from edge.scanners.keyboard import Event, KeyboardDecoder, KeyboardSettings
from tests.typist import (
    ALT,
    ALTGR,
    CAPS,
    CAPS_LOCK,
    CTRL,
    KEYPAD,
    RIGHT_SHIFT,
    SHIFT,
    Chord,
    Typist,
    alt_code,
    dropped,
)

GS = b"\x1d"


def decoder(*, caps_light: bool = False, **settings: object) -> KeyboardDecoder:
    fields = {"kind": "keyboard", "path": "/dev/input/x", **settings}
    known = msgspec.convert(fields, KeyboardSettings)
    return KeyboardDecoder(known, caps_light=caps_light)


def feed(to: KeyboardDecoder, events: Iterable[Event]) -> list[Decoded]:
    return [read for event in events for read in to.feed(event)]


def good(raw: bytes) -> list[Decoded]:
    return [Decoded(raw=raw)]


def damaged(raw: bytes, damage: Damage) -> list[Decoded]:
    return [Decoded(raw=raw, damage=damage)]


def test_a_scan_is_one_read() -> None:
    assert feed(decoder(), Typist().scan("P-000123")) == good(b"P-000123")


@pytest.mark.parametrize("end", ["enter", "kpenter", "tab"])
def test_each_terminator_ends_a_read(end: str) -> None:
    assert feed(decoder(), Typist().scan("P-1", end)) == good(b"P-1")


def test_enter_and_linefeed_end_one_read_once() -> None:
    keys, typist = decoder(), Typist()
    typed = [
        *typist.scan("P-1"),
        *typist.chord(((CTRL,), (CAPS["j"],))),
        *typist.scan("P-2"),
        *typist.key(101),
        *typist.scan("P-3"),
        *typist.key(CAPS["enter"]),
        *typist.scan("P-4"),
    ]
    expected = [Decoded(raw=raw) for raw in (b"P-1", b"P-2", b"P-3", b"P-4")]
    assert feed(keys, typed) == expected


def test_a_linefeed_inside_a_code_is_kept() -> None:
    typist = Typist()
    typed = [
        *typist.text("AB"),
        *typist.chord(((CTRL,), (CAPS["j"],))),
        *typist.scan("CD"),
    ]
    assert feed(decoder(), typed) == good(b"AB\nCD")


def test_a_linefeed_long_after_the_enter_begins_a_code() -> None:
    keys, typist = decoder(), Typist()
    assert feed(keys, typist.scan("P-1")) == good(b"P-1")
    typist.pause(1000)
    typed = [*typist.chord(((CTRL,), (CAPS["j"],))), *typist.scan("P-2")]
    assert feed(keys, typed) == good(b"\nP-2")


def test_a_key_that_is_no_terminator_here_is_a_character() -> None:
    keys = decoder(terminators=["enter"])
    typist = Typist()
    typed = [*typist.scan("AB", "tab"), *typist.scan("CD")]
    assert feed(keys, typed) == good(b"AB\tCD")


@pytest.mark.parametrize("shift", [SHIFT, RIGHT_SHIFT])
def test_either_shift_key_shifts(shift: int) -> None:
    typist = Typist()
    typed = [*typist.chord(((shift,), (CAPS["a"],))), *typist.scan("bcd")]
    assert feed(decoder(), typed) == good(b"Abcd")


def test_one_shift_key_still_shifts_when_the_other_is_let_go() -> None:
    typist = Typist()
    typed = [
        *typist.report((SHIFT, 1), (RIGHT_SHIFT, 1)),
        *typist.report((SHIFT, 0)),
        *typist.key(CAPS["a"]),
        *typist.report((RIGHT_SHIFT, 0)),
        *typist.scan("bcd"),
    ]
    assert feed(decoder(), typed) == good(b"Abcd")


def test_shift_in_the_same_report_as_its_key_shifts() -> None:
    typist = Typist()
    typed = [
        *typist.report((SHIFT, 1), (CAPS["a"], 1)),
        *typist.report((SHIFT, 0), (CAPS["a"], 0)),
        *typist.scan("bcd"),
    ]
    assert feed(decoder(), typed) == good(b"Abcd")


def test_auto_repeat_is_no_character() -> None:
    typist = Typist()
    typed = [
        *typist.text("ab"),
        *typist.report((CAPS["c"], 1)),
        *typist.report((CAPS["c"], 2)),
        *typist.report((CAPS["c"], 2)),
        *typist.report((CAPS["c"], 0)),
        *typist.scan("d"),
    ]
    assert feed(decoder(), typed) == good(b"abcd")


def test_the_keypad_gives_digits() -> None:
    typist = Typist()
    typed = [e for digit in "0123456789" for e in typist.key(KEYPAD[digit])]
    assert feed(decoder(), [*typed, *typist.scan("", "kpenter")]) == good(b"0123456789")


@pytest.mark.parametrize(
    ("chord", "byte"),
    [
        (((CTRL,), (CAPS["a"],)), 1),
        (((CTRL,), (CAPS["b"],)), 2),
        (((97,), (CAPS["z"],)), 26),
        (((CTRL,), (CAPS["["],)), 27),
        (((CTRL,), (CAPS["\\"],)), 28),
        (((CTRL,), (CAPS["]"],)), 29),
        (((CTRL, SHIFT), (CAPS["6"],)), 30),
        (((CTRL,), (CAPS["6"],)), 30),
        (((CTRL, SHIFT), (CAPS["-"],)), 31),
        (((CTRL,), (CAPS["-"],)), 31),
        (((CTRL, SHIFT), (CAPS["2"],)), 0),
        (((CTRL,), (CAPS["2"],)), 0),
        (((), (1,)), 27),
        (((), (14,)), 8),
        (alt_code("029"), 29),
        (alt_code("0029"), 29),
        (alt_code("29"), 29),
        (((ALT,), (CAPS["0"], CAPS["2"], CAPS["9"])), 29),
        (alt_code("065"), 65),
        (alt_code("0233"), 233),
    ],
)
def test_control_characters_and_alt_codes(chord: Chord, byte: int) -> None:
    typist = Typist()
    typed = [*typist.text("AB"), *typist.chord(chord), *typist.scan("CD")]
    assert feed(decoder(), typed) == good(b"AB" + bytes((byte,)) + b"CD")


@pytest.mark.parametrize("layout", ["us", "uk", "de", "fr", "be", "es", "it"])
def test_ctrl_and_the_key_of_the_bracket_is_the_separator_on_every_layout(
    layout: str,
) -> None:
    typist = Typist(layout)
    separator = typist.chord(((CTRL,), (CAPS["]"],)))
    typed = [*typist.text("10A"), *separator, *typist.scan("21B")]
    assert feed(decoder(layout=layout), typed) == good(b"10A" + GS + b"21B")


@pytest.mark.parametrize(
    ("setting", "chord"),
    [
        ("f8", ((), (66,))),
        ("f13", ((), (183,))),
        ("ctrl+b", ((CTRL,), (CAPS["b"],))),
        ("alt+0232", alt_code("0232")),
        ("|", ((SHIFT,), (CAPS["\\"],))),
        ("ctrl+i", ((), (CAPS["tab"],))),
    ],
)
def test_the_separator_comes_out_the_same_however_it_arrives(
    setting: str, chord: Chord
) -> None:
    typist = Typist()
    typed = [*typist.text("10A"), *typist.chord(chord), *typist.scan("21B")]
    assert feed(decoder(separator=setting), typed) == good(b"10A" + GS + b"21B")


def test_a_separator_on_a_dead_key_comes_out_the_same() -> None:
    typist = Typist("de")
    typed = typist.scan("10A^21B")
    assert feed(decoder(layout="de", separator="^"), typed) == good(b"10A\x1d21B")


@pytest.mark.parametrize(
    ("layout", "text"),
    [("de", "äöüÄÖÜß"), ("fr", "éèàùç"), ("es", "ñÑçÇº"), ("it", "àèìòùé")],
)
def test_letters_of_the_layout_are_latin_1(layout: str, text: str) -> None:
    read = feed(decoder(layout=layout), Typist(layout).scan(text))
    assert read == good(text.encode("latin-1"))


@pytest.mark.parametrize(
    ("layout", "keys", "raw"),
    [
        ("fr", ("[", "q"), "â"),  # AZERTY has the a on the q
        ("de", ("=", "e"), "é"),
        ("es", ("'", "u"), "ú"),
        ("es", ("[", "enter"), "`"),
    ],
)
def test_a_dead_key_waits_for_the_next(
    layout: str, keys: tuple[str, str], raw: str
) -> None:
    typist = Typist(layout)
    typed = [*typist.text("12"), *(e for k in keys for e in typist.key(CAPS[k]))]
    typed += [] if keys[-1] == "enter" else typist.key(CAPS["enter"])
    read = feed(decoder(layout=layout), typed)
    assert read == good(b"12" + raw.encode("latin-1"))


def test_a_dead_key_stands_alone_where_it_is_set_so() -> None:
    typist = Typist("de")
    typed = [*typist.text("12"), *typist.key(CAPS["="]), *typist.scan("e")]
    assert feed(decoder(layout="de", dead_keys="plain"), typed) == good(b"12\xb4e")


def test_two_dead_keys_in_a_row_are_damage() -> None:
    typist = Typist("de")
    typed = [*typist.text("12"), *typist.key(CAPS["="]), *typist.key(CAPS["="])]
    read = feed(decoder(layout="de"), [*typed, *typist.scan("3")])
    assert read == damaged(b"12\xb4\xb43", Damage.DEAD_KEY)


def test_what_is_not_latin_1_is_damage() -> None:
    typist = Typist("de")
    typed = [*typist.text("12"), *typist.chord(((ALTGR,), (CAPS["e"],)))]
    read = feed(decoder(layout="de"), [*typed, *typist.scan("3")])
    assert read == damaged(b"12?3", Damage.CHARACTER)


def test_altgr_is_also_ctrl_with_alt_as_on_windows() -> None:
    typist = Typist("de")
    typed = [*typist.text("12"), *typist.chord(((CTRL, ALT), (CAPS["q"],)))]
    assert feed(decoder(layout="de"), [*typed, *typist.scan("3")]) == good(b"12@3")


@pytest.mark.parametrize(
    ("layout", "chord", "damage"),
    [
        ("us", ((ALTGR,), (CAPS["7"],)), Damage.KEY),
        ("us", ((CTRL, ALT), (CAPS["7"],)), Damage.KEY),
        ("uk", ((ALTGR,), (CAPS["q"],)), Damage.KEY),
        ("us", ((), (86,)), Damage.KEY),
        ("us", ((), (66,)), Damage.KEY),
        ("us", ((), (103,)), Damage.KEY),
        ("us", ((125,), (CAPS["r"],)), Damage.KEY),
        ("us", ((ALT,), (CAPS["f"],)), Damage.KEY),
        ("us", ((CTRL,), (CAPS["1"],)), Damage.KEY),
        ("de", ((CTRL, ALTGR), (CAPS["9"],)), Damage.KEY),
        ("fr", ((CTRL,), (CAPS["6"],)), Damage.KEY),
        ("us", alt_code("130"), Damage.ALT_CODE),
        ("us", alt_code("0300"), Damage.ALT_CODE),
        ("us", alt_code("7"), Damage.ALT_CODE),
        ("us", alt_code("00029"), Damage.KEY),
        ("us", alt_code("0128"), Damage.CHARACTER),
    ],
)
def test_f26_a_key_that_is_not_of_the_layout_is_damage_and_not_passed_over(
    layout: str, chord: Chord, damage: Damage
) -> None:
    typist = Typist(layout)
    typed = [*typist.text("12"), *typist.chord(chord), *typist.scan("3")]
    (read,) = feed(decoder(layout=layout), typed)
    assert read.damage is damage


def test_an_alt_code_without_a_zero_is_of_the_configured_page() -> None:
    typist = Typist()
    typed = [*typist.text("12"), *typist.chord(alt_code("130")), *typist.scan("3")]
    assert feed(decoder(alt_codes="cp437"), typed) == good(b"12\xe93")


def test_alt_digits_that_never_end_are_damage() -> None:
    typist = Typist()
    typed = [
        *typist.text("12"),
        *typist.report((ALT, 1)),
        *typist.key(KEYPAD["0"]),
        *typist.scan(""),
    ]
    assert feed(decoder(), typed) == damaged(b"12", Damage.ALT_CODE)


def test_caps_lock_pressed_by_the_scanner_turns_case_around() -> None:
    typist = Typist()
    typed = [
        *typist.key(CAPS_LOCK),
        *typist.text("aB1-"),
        *typist.key(CAPS_LOCK),
        *typist.scan("aB"),
    ]
    assert feed(decoder(), typed) == good(b"Ab1-aB")


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("refuse", damaged(b"p-Ab", Damage.CAPS_LOCK)),
        ("apply", good(b"P-aB")),
        ("ignore", good(b"p-Ab")),
    ],
)
def test_f26_caps_lock_of_the_host_is_damage_unless_it_is_said_what_it_does(
    policy: str, expected: list[Decoded]
) -> None:
    keys = decoder(caps_lock=policy, caps_light=True)
    assert feed(keys, Typist().scan("p-Ab")) == expected


def test_f26_digits_are_certain_whatever_caps_lock_does() -> None:
    assert feed(decoder(caps_light=True), Typist().scan("-123")) == good(b"-123")


def test_f26_caps_lock_is_damage_where_hosts_disagree_what_it_shifts() -> None:
    typist = Typist("fr")
    typed = [*typist.key(CAPS_LOCK), *typist.scan("123")]
    assert feed(decoder(layout="fr"), typed) == damaged(b"123", Damage.CAPS_LOCK)


def test_the_caps_lock_light_is_followed() -> None:
    keys, typist = decoder(), Typist()
    light_on, light_off = Event(0, 17, 1, 1), Event(0, 17, 1, 0)
    assert feed(keys, [light_on, *typist.scan("abc")])[0].damage is Damage.CAPS_LOCK
    assert feed(keys, [light_off, *typist.scan("abc")]) == good(b"abc")


def test_a_scanner_that_turns_caps_lock_off_itself_is_certain() -> None:
    typist = Typist()
    typed = [*typist.key(CAPS_LOCK), *typist.text("aBc"), *typist.key(CAPS_LOCK)]
    keys = decoder(caps_light=True)
    assert feed(keys, [*typed, *typist.scan("")]) == good(b"aBc")


def test_f24_silence_ends_a_read_without_terminator() -> None:
    keys = decoder(terminators=[])
    assert feed(keys, Typist().text("P-123")) == []
    assert keys.silence() == [Decoded(raw=b"P-123", unterminated=True)]
    assert keys.silence() == []


def test_f24_a_late_event_tells_of_the_silence_before_it() -> None:
    keys, typist = decoder(terminators=[]), Typist()
    first = typist.text("P-123")
    typist.pause(121)
    assert feed(keys, [*first, *typist.text("P-456")]) == [
        Decoded(raw=b"P-123", unterminated=True)
    ]
    assert keys.silence() == [Decoded(raw=b"P-456", unterminated=True)]


def test_auto_repeat_of_a_stuck_key_does_not_hide_the_silence() -> None:
    keys, typist = decoder(terminators=[]), Typist()
    typed = typist.text("P-123")
    for _ in range(5):
        typist.pause(33)
        typed += typist.report((CAPS["3"], 2))
    assert feed(keys, typed) == [Decoded(raw=b"P-123", unterminated=True)]


def test_a_scanner_that_sends_terminators_is_believed_to_send_them_all() -> None:
    keys, typist = decoder(), Typist()
    assert feed(keys, typist.scan("P-1")) == good(b"P-1")
    typist.pause(2000)
    assert feed(keys, typist.text("P-123")) == []
    assert keys.silence() == [
        Decoded(raw=b"P-123", damage=Damage.CUT, unterminated=True)
    ]


def test_no_piece_of_a_code_that_pauses_split_is_taken_for_a_code() -> None:
    keys, typist = decoder(), Typist()
    typed = typist.scan("P-1")
    typist.pause(3000)
    for piece in ("P-123", "456"):
        typed += typist.text(piece)
        typist.pause(200)
    typed += typist.scan("789")
    reads = feed(keys, typed)
    assert [read.raw for read in reads] == [b"P-1", b"P-123", b"456", b"789"]
    assert [read.damage for read in reads] == [None, *[Damage.CUT] * 3]
    typist.pause(1000)
    assert feed(keys, typist.scan("P-2")) == good(b"P-2")


def test_the_rest_of_the_first_code_ever_is_not_taken_for_a_code() -> None:
    keys, typist = decoder(), Typist()
    assert feed(keys, typist.text("P-123")) == []
    assert keys.silence() == [Decoded(raw=b"P-123", unterminated=True)]
    typist.pause(150)
    assert feed(keys, typist.scan("456")) == damaged(b"456", Damage.CUT)


def test_f26_after_syn_dropped_all_up_to_the_terminator_is_damaged() -> None:
    keys, typist = decoder(), Typist()
    code = typist.scan("P-000123")
    events = [*code[:20], dropped(code[20].time), *code[30:]]
    (read,) = feed(keys, events)
    assert read.damage is Damage.LOST
    assert not read.unterminated
    typist.pause(500)
    assert feed(keys, typist.scan("P-2")) == good(b"P-2")


def test_f26_after_syn_dropped_nothing_counts_before_the_next_report() -> None:
    keys, typist = decoder(), Typist()
    rest = [Event(1, 1, CAPS["x"], 1), *typist.report(), *typist.scan("yz")]
    assert feed(keys, [dropped(1), *rest]) == damaged(b"yz", Damage.LOST)


def test_f26_a_loss_between_codes_is_not_silent() -> None:
    keys, typist = decoder(), Typist()
    assert feed(keys, typist.scan("P-1")) == good(b"P-1")
    assert feed(keys, [dropped(typist.at), *typist.report()]) == []
    assert keys.silence() == [Decoded(raw=b"", damage=Damage.LOST, unterminated=True)]


def test_f26_a_loss_over_a_pause_joins_the_pieces_in_one_damaged_read() -> None:
    keys, typist = decoder(), Typist()
    before = typist.text("P-12")
    typist.pause(400)  # of which nothing was kept but its end
    after = [dropped(typist.at), *typist.report(), *typist.scan("78")]
    assert feed(keys, [*before, *after]) == damaged(b"P-1278", Damage.LOST)


def test_f26_shift_that_was_let_go_in_a_loss_is_forgotten() -> None:
    keys, typist = decoder(), Typist()
    lost = [*typist.report((SHIFT, 1)), dropped(typist.at), *typist.report()]
    assert feed(keys, [*lost, *typist.scan("ab")]) == damaged(b"ab", Damage.LOST)
    assert feed(keys, typist.scan("abc")) == good(b"abc")


def test_f22_what_was_in_progress_when_the_device_went_is_damaged() -> None:
    keys = decoder()
    assert feed(keys, Typist().text("P-0001")) == []
    assert keys.gone() == [
        Decoded(raw=b"P-0001", damage=Damage.GONE, unterminated=True)
    ]
    assert keys.gone() == []


def test_f25_a_code_longer_than_the_limit_is_cut_there_and_damaged() -> None:
    keys = decoder(max_length=16)
    assert feed(keys, Typist().scan("0123456789ABCDEF")) == good(b"0123456789ABCDEF")
    read = feed(keys, Typist().scan("0123456789ABCDEFG"))
    assert read == damaged(b"0123456789ABCDEF", Damage.LONG)


def test_f25_a_dead_key_at_the_limit_is_damage_too() -> None:
    keys, typist = decoder(layout="de", max_length=16), Typist("de")
    typed = [*typist.text("0123456789ABCDEF"), *typist.key(CAPS["="])]
    read = feed(keys, [*typed, *typist.scan("")])
    assert read == damaged(b"0123456789ABCDEF", Damage.LONG)


def test_f27_one_code_twice_in_100_ms_is_two_reads() -> None:
    keys, typist = decoder(), Typist(step=500)
    first = typist.scan("P-1")
    typist.pause(80)
    assert feed(keys, [*first, *typist.scan("P-1")]) == [*good(b"P-1"), *good(b"P-1")]


def test_f28_a_person_who_types_is_not_taken_for_a_scanner() -> None:
    keys, typist = decoder(idle_gap_ms=500), Typist(step=45_000)  # 90 ms a key
    assert feed(keys, typist.scan("12345678")) == damaged(b"12345678", Damage.SLOW)


def test_f28_a_slow_scanner_can_be_allowed() -> None:
    keys, typist = decoder(idle_gap_ms=500, slow_ms=120), Typist(step=45_000)
    assert feed(keys, typist.scan("12345678")) == good(b"12345678")


def test_f28_a_person_slower_than_the_idle_gap_is_not_taken_for_one_either() -> None:
    keys, typist = decoder(), Typist(step=20_000)
    reads = []
    for key in "p-17":
        reads += feed(keys, typist.text(key))
        typist.pause(180)
    reads += feed(keys, typist.key(CAPS["enter"]))
    assert [read.raw for read in reads] == [b"p", b"-", b"1", b"7"]
    assert all(read.damage is Damage.SLOW for read in reads)


def test_f28_one_burst_of_a_fast_typist_does_not_help() -> None:
    keys, typist = decoder(), Typist(step=18_000)
    typed = typist.text("the")
    for key in "item":
        typist.pause(70)
        typed += typist.text(key)
    typed += typist.key(CAPS["enter"])
    assert feed(keys, typed) == damaged(b"theitem", Damage.SLOW)


def test_a_terminator_alone_is_nothing() -> None:
    keys, typist = decoder(), Typist()
    typed = [*typist.key(CAPS["enter"]), *typist.key(CAPS["tab"])]
    assert feed(keys, typed) == []
    assert keys.silence() == []


def test_modifiers_alone_are_nothing() -> None:
    keys, typist = decoder(), Typist()
    assert (
        feed(keys, [e for key in (SHIFT, ALT, 69, 70) for e in typist.key(key)]) == []
    )
    assert keys.silence() == []


def test_events_of_other_kinds_are_nothing() -> None:
    keys = decoder()
    assert feed(keys, [Event(0, kind, 0, 1) for kind in (2, 3, 4, 20, 99)]) == []
    assert keys.silence() == []
