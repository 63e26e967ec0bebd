from collections import Counter
from collections.abc import Iterable
from random import Random

from hypothesis import assume, given
from hypothesis import strategies as st

from edge.scanners.decoded import Decoded
from edge.scanners.input_device import RECORD, EventDecoder
from edge.scanners.keyboard import Event, KeyboardDecoder, KeyboardSettings
from tests import typist
from tests.typist import Typist, dropped

ANY_INT = st.integers(-(2**31), 2**31 - 1)
CODES = st.sampled_from(
    [28, 96, 15, 101, 29, 42, 54, 56, 58, 97, 100, 125, 66, 13, 30, 40, 41, 71, 82, 57]
)
EVENTS = st.builds(
    Event,
    st.integers(-(10**6), 10**6) | st.integers(),
    st.sampled_from([0, 1, 1, 1, 1, 4, 17]) | ANY_INT,
    CODES | st.integers(0, 255) | ANY_INT,
    st.sampled_from([0, 1, 1, 2]) | ANY_INT,
)
STEPS = st.sampled_from(["silence", "gone", "overrun"]) | EVENTS
LAYOUTS = st.sampled_from(typist.LAYOUTS)
SETTINGS = st.builds(
    KeyboardSettings,
    path=st.just("/dev/input/x"),
    layout=LAYOUTS,
    terminators=st.sampled_from([(), ("enter",), ("enter", "keypad_enter", "tab")]),
    separator=st.sampled_from(["ctrl+]", "f8", "^", "ctrl+i"]),
    caps_lock=st.sampled_from(["refuse", "apply", "ignore"]),
    dead_keys=st.sampled_from(["compose", "plain"]),
    alt_codes=st.sampled_from(["refuse", "cp437", "cp850", "latin-1"]),
    max_length=st.sampled_from([16, 8192]),
)
CODE = st.text("ABCDEFG0123456789-.", min_size=4, max_size=20)


def default(layout: str = "us") -> KeyboardDecoder:
    fields = {"layout": layout}
    return KeyboardDecoder(
        KeyboardSettings(path="/dev/input/x", **fields)  # type: ignore[arg-type]
    )


def feed(to: KeyboardDecoder, events: Iterable[Event]) -> list[Decoded]:
    return [read for event in events for read in to.feed(event)]


def trusted(reads: Iterable[Decoded]) -> Counter[bytes]:
    return Counter(read.raw for read in reads if not read.damage)


def typed(codes: Iterable[str]) -> Counter[bytes]:
    return Counter(code.encode("latin-1") for code in codes)


@given(settings=SETTINGS, caps_light=st.booleans(), steps=st.lists(STEPS, max_size=60))
def test_no_events_make_the_decoder_raise_or_keep_more_than_its_limit(
    *, settings: KeyboardSettings, caps_light: bool, steps: list[Event | str]
) -> None:
    keys = KeyboardDecoder(settings, caps_light=caps_light)
    reads: list[Decoded] = []
    for step in steps:
        if isinstance(step, Event):
            reads += keys.feed(step)
        elif step == "overrun":
            keys.overrun()
        else:
            reads += keys.silence() if step == "silence" else keys.gone()
    reads += keys.gone()
    assert all(len(read.raw) <= settings.max_length for read in reads)
    assert all(read.raw or read.damage for read in reads)
    assert keys.gone() == []


@given(LAYOUTS, st.data())
def test_what_is_typed_on_a_layout_comes_out_unchanged(
    layout: str, data: st.DataObject
) -> None:
    signs = st.sampled_from(sorted(typist.TABLES[layout]))
    codes = data.draw(st.lists(st.text(signs, min_size=1, max_size=12), max_size=4))
    keyboard = Typist(layout)
    reads = feed(default(layout), [e for code in codes for e in keyboard.scan(code)])
    assert [read.raw.decode("latin-1") for read in reads] == codes
    assert not any(read.damage or read.unterminated for read in reads)


@given(st.text(st.characters(max_codepoint=255, categories=["L", "N", "P"])))
def test_what_the_layout_does_not_have_comes_as_alt_codes(text: str) -> None:
    assume(text)
    assert feed(default(), Typist().scan(text)) == [Decoded(raw=text.encode("latin-1"))]


@given(st.lists(CODE, min_size=1, max_size=5), st.data())
def test_f26_a_loss_anywhere_never_yields_a_shorter_code(
    codes: list[str], data: st.DataObject
) -> None:
    keyboard = Typist()
    events = [event for code in codes for event in keyboard.scan(code)]
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(events) - 1))
        stop = data.draw(st.integers(start, min(start + 80, len(events))))
        at = events[min(stop, len(events) - 1)].time
        events[start:stop] = [dropped(at)]
    keys = default()
    reads = [*feed(keys, events), *keys.silence()]
    assert any(read.damage for read in reads)
    assert trusted(reads) <= typed(codes)


@given(st.lists(CODE, min_size=2, max_size=5), st.data())
def test_f24_a_pause_within_codes_never_yields_a_shorter_code(
    codes: list[str], data: st.DataObject
) -> None:
    first, *others = codes
    keyboard = Typist()
    events = keyboard.scan(first)
    for code in others:
        cuts = data.draw(st.sets(st.integers(1, len(code)), max_size=3))
        for place, char in enumerate(code):
            if place in cuts:
                keyboard.pause(data.draw(st.integers(121, 900)))
            events += keyboard.text(char)
        events += keyboard.key(typist.CAPS["enter"])
        keyboard.pause(1500)
    keys = default()
    assert trusted([*feed(keys, events), *keys.silence()]) <= typed(codes)


@given(st.lists(CODE, min_size=1, max_size=3), st.data())
def test_f22_unplugging_anywhere_never_yields_a_shorter_code(
    codes: list[str], data: st.DataObject
) -> None:
    keyboard = Typist()
    events = [event for code in codes for event in keyboard.scan(code)]
    stop = data.draw(st.integers(0, len(events)))
    keys = default()
    reads = [*feed(keys, events[:stop]), *keys.gone()]
    assert trusted(reads) <= typed(codes)


@given(st.lists(CODE, max_size=4), st.lists(CODE, max_size=4), st.randoms())
def test_f23_two_keyboards_never_mix(
    left: list[str], right: list[str], choice: Random
) -> None:
    typists = Typist(), Typist(layout="de")
    queues = [
        [event for code in codes for event in keyboard.scan(code)]
        for keyboard, codes in zip(typists, (left, right), strict=True)
    ]
    keyboards = default(), default("de")
    reads: tuple[list[Decoded], list[Decoded]] = ([], [])
    while any(queues):
        side = choice.choice([n for n in (0, 1) if queues[n]])
        reads[side].extend(keyboards[side].feed(queues[side].pop(0)))
    assert [read.raw.decode() for read in reads[0]] == left
    assert [read.raw.decode() for read in reads[1]] == right


@given(CODE, st.lists(st.integers(1, 40), min_size=1))
def test_records_come_out_the_same_however_they_were_split(
    code: str, sizes: list[int]
) -> None:
    data = b"".join(
        RECORD.pack(time // 10**6, time % 10**6, *rest)
        for time, *rest in Typist(at=5 * 10**6).scan(code)
    )
    unpacker = EventDecoder(default())
    reads: list[Decoded] = []
    at = turn = 0
    while at < len(data):
        size = sizes[turn % len(sizes)]
        reads += unpacker.feed(data[at : at + size])
        at, turn = at + size, turn + 1
    assert reads == [Decoded(raw=code.encode())]


@given(st.lists(st.binary(max_size=200)))
def test_no_bytes_make_the_unpacker_raise(pieces: list[bytes]) -> None:
    unpacker = EventDecoder(default())
    for piece in pieces:
        unpacker.feed(piece)
    unpacker.overrun()
    unpacker.gone()
