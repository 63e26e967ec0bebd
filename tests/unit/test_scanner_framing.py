"""Where one code ends and the next begins."""

import pytest

from edge.scanners.framing import Frame, Framer, Framing, Unmark
from shared.protocol import ClockReading


def clock(mono: int = 0) -> ClockReading:
    return ClockReading(at=1_000_000 + mono, boot="b", mono=mono, synced=True)


def raws(frames: list[Frame]) -> list[bytes]:
    return [frame.raw for frame in frames]


def feed(framing: Framing, data: bytes) -> list[Frame]:
    return Framer(framing).feed(data, clock())


def trouble(frame: Frame) -> tuple[bytes, bool, bool]:
    return frame.raw, frame.damaged, frame.unterminated


@pytest.mark.parametrize(
    ("terminators", "data", "expected"),
    [
        ((b"\r",), b"A\rB\r", [b"A", b"B"]),
        ((b"\n",), b"A\nB\n", [b"A", b"B"]),
        ((b"\r\n",), b"A\r\nB\r\n", [b"A", b"B"]),
        ((b"\r\n",), b"A\rB\nC\r\n", [b"A\rB\nC"]),
        ((b"\r", b"\n"), b"A\r\nB\nC\r", [b"A", b"B", b"C"]),
        ((b"\r", b"\r\n"), b"A\r\nB\rC\r\n", [b"A", b"B", b"C"]),
        ((b"\n", b"\r\n"), b"A\r\nB\nC\rD\n", [b"A", b"B", b"C\rD"]),
        ((b"\r",), b"A\r\nB\r", [b"A", b"\nB"]),
        ((b"\t",), b"A\tB\t", [b"A", b"B"]),
        ((b"\x03",), b"A\rB\x03", [b"A\rB"]),
        ((b"##", b"\r"), b"A#B##C\r", [b"A#B", b"C"]),
    ],
)
def test_each_terminator_of_the_set_ends_a_frame(
    terminators: tuple[bytes, ...], data: bytes, expected: list[bytes]
) -> None:
    assert raws(feed(Framing(terminators=terminators), data)) == expected


def test_group_separator_nul_escape_and_high_bytes_are_kept() -> None:
    data = b"]C1\x1d\x00\x1b\xef\xbb\xbf\xff\x80\xe2\x80\xae"
    assert raws(feed(Framing(), data + b"\r\n")) == [data]


def test_f24_one_byte_a_read_gives_the_frames_of_one_read() -> None:
    framer = Framer(Framing())
    data = b"ABC\r\nDEF\r\n"
    frames = [frame for byte in data for frame in framer.feed(bytes([byte]), clock())]
    assert raws(frames) == [b"ABC", b"DEF"]


def test_a_line_feed_that_comes_much_later_still_belongs_to_its_return() -> None:
    framer = Framer(Framing(keep_empty=True))
    assert raws(framer.feed(b"A\r", clock(0))) == [b"A"]
    assert framer.silence() == []
    assert framer.feed(b"\n", clock(9_000_000)) == []
    assert raws(framer.feed(b"\n", clock(9_000_001))) == [b""]


def test_f24_silence_ends_a_frame_and_marks_it_unterminated() -> None:
    framer = Framer(Framing())
    assert framer.feed(b"P-1", clock(7)) == []
    pending = [framer.pending]
    (frame,) = framer.silence()
    assert frame == Frame(raw=b"P-1", clock=clock(7), unterminated=True)
    assert [*pending, framer.pending] == [True, False]
    assert framer.silence() == []


def test_f24_silence_within_a_code_of_a_scanner_that_terminates_yields_no_code() -> (
    None
):
    framer = Framer(Framing(tail=480_000))
    assert [trouble(f) for f in framer.feed(b"P-1\rP-00", clock(0))] == [
        (b"P-1", False, False)
    ]
    assert [trouble(f) for f in framer.silence()] == [(b"P-00", True, True)]
    framer.feed(b"1", clock(130_000))
    assert [trouble(f) for f in framer.silence()] == [(b"1", True, True)]
    assert [trouble(f) for f in framer.feed(b"2\r", clock(260_000))] == [
        (b"2", True, False)
    ]
    assert not framer.feed(b"P-3\r", clock(800_000))[0].damaged


def test_the_clock_of_a_frame_is_that_of_its_last_byte() -> None:
    framer = Framer(Framing())
    framer.feed(b"A", clock(1))
    (frame,) = framer.feed(b"\r", clock(2))
    assert frame.clock == clock(2)


def test_the_rest_of_a_stalled_frame_is_no_code_of_its_own() -> None:
    framer = Framer(Framing(tail=480_000))
    framer.feed(b"P-12", clock(0))
    framer.silence()
    assert [trouble(f) for f in framer.feed(b"345\r", clock(200_000))] == [
        (b"345", True, False)
    ]
    assert [trouble(f) for f in framer.feed(b"P-9\r", clock(300_000))] == [
        (b"P-9", False, False)
    ]


def test_a_terminator_that_comes_late_says_nothing_more() -> None:
    framer = Framer(Framing())
    framer.feed(b"P-12", clock(0))
    framer.silence()
    assert framer.feed(b"\r\n", clock(200_000)) == []
    assert not framer.feed(b"P-9\r", clock(250_000))[0].damaged


def test_a_scan_well_after_an_unterminated_one_is_whole() -> None:
    framer = Framer(Framing(tail=480_000))
    framer.feed(b"P-12", clock(0))
    framer.silence()
    assert not framer.feed(b"P-3\r", clock(480_000))[0].damaged


def test_without_any_terminator_every_frame_ends_by_silence_and_none_is_damaged() -> (
    None
):
    framer = Framer(Framing(terminators=()))
    framer.feed(b"P-1", clock(0))
    first = framer.silence()
    framer.feed(b"P-2\r", clock(200_000))
    assert [trouble(f) for f in first + framer.silence()] == [
        (b"P-1", False, True),
        (b"P-2\r", False, True),
    ]


def test_f22_half_a_frame_at_the_unplugging_is_damaged() -> None:
    framer = Framer(Framing())
    framer.feed(b"A\rP-12", clock(5))
    assert [trouble(f) for f in framer.cut()] == [(b"P-12", True, True)]
    assert framer.cut() == []


def test_nothing_is_made_of_an_unplugging_between_frames() -> None:
    framer = Framer(Framing())
    framer.feed(b"A\r\n", clock())
    assert framer.cut() == []


@pytest.mark.parametrize("length", [4, 5, 6, 7, 100])
def test_f25_of_a_frame_too_long_the_first_bytes_are_kept_and_sync_is_not_lost(
    length: int,
) -> None:
    framing = Framing(max_length=5)
    data = b"x" * length + b"\r\nP-1\r\n"
    assert [trouble(f) for f in feed(framing, data)] == [
        (b"x" * min(length, 5), length > 5, False),
        (b"P-1", False, False),
    ]


def test_f31_a_frame_that_never_ends_takes_no_more_memory_than_its_limit() -> None:
    framer = Framer(Framing(max_length=100))
    for _ in range(1000):
        framer.feed(b"x" * 1000, clock())
    assert len(framer._kept) <= 102
    assert raws(framer.feed(b"\r", clock())) == [b"x" * 100]


def test_f30_noise_damages_the_frame_it_falls_in_and_no_other() -> None:
    framer = Framer(Framing())
    frames = framer.feed(b"A\rP-", clock())
    frames += framer.feed(b"\x91", clock(), noisy=True)
    frames += framer.feed(b"2\rB\r", clock())
    assert [trouble(f) for f in frames] == [
        (b"A", False, False),
        (b"P-\x912", True, False),
        (b"B", False, False),
    ]


def test_f31_bytes_that_were_dropped_damage_the_frame_around_them() -> None:
    framer = Framer(Framing())
    framer.feed(b"P-1", clock())
    framer.lose(clock())
    frames = framer.feed(b"9\rP-2\r", clock())
    assert [trouble(f) for f in frames] == [
        (b"P-19", True, False),
        (b"P-2", False, False),
    ]


def test_a_loss_that_nothing_follows_is_told_all_the_same() -> None:
    framer = Framer(Framing())
    framer.lose(clock(3))
    assert [trouble(f) for f in framer.silence()] == [(b"", True, True)]


def test_start_and_end_bytes_frame_the_code_and_line_ends_between_say_nothing() -> None:
    framing = Framing(start=b"\x02", terminators=(b"\x03",))
    data = b"\x02A\x03\r\n\x02B\rC\x03\r\n"
    assert [trouble(f) for f in feed(framing, data)] == [
        (b"A", False, False),
        (b"B\rC", False, False),
    ]


def test_a_frame_whose_start_or_end_byte_is_missing_is_damaged() -> None:
    framing = Framing(start=b"\x02", terminators=(b"\x03",))
    assert [trouble(f) for f in feed(framing, b"45\x03\x02A\x02B\x03")] == [
        (b"45", True, False),
        (b"A", True, True),
        (b"B", False, False),
    ]


def test_two_start_bytes_in_a_row_are_a_loss() -> None:
    framing = Framing(start=b"\x02", terminators=(b"\x03",))
    assert [trouble(f) for f in feed(framing, b"\x02\x02B\x03")] == [
        (b"", True, True),
        (b"B", False, False),
    ]


def test_prefix_and_suffix_are_taken_off_where_configured() -> None:
    framing = Framing(prefix=b"S1:", suffix=b"*")
    assert [trouble(f) for f in feed(framing, b"S1:P-1*\r")] == [(b"P-1", False, False)]
    assert raws(feed(Framing(), b"S1:P-1*\r")) == [b"S1:P-1*"]


@pytest.mark.parametrize("data", [b"1:P-1*", b"S1:P-1", b"P-1", b"S1:", b"*"])
def test_a_frame_without_its_prefix_or_suffix_is_damaged_and_unchanged(
    data: bytes,
) -> None:
    framing = Framing(prefix=b"S1:", suffix=b"*")
    assert [trouble(f) for f in feed(framing, data + b"\r")] == [(data, True, False)]


def test_a_prefix_with_nothing_behind_it_is_an_empty_read() -> None:
    assert raws(feed(Framing(prefix=b"S1:"), b"S1:\r")) == [b""]


@pytest.mark.parametrize(("keep", "count"), [(True, 3), (False, 1)])
def test_empty_frames_are_kept_only_where_wanted(*, keep: bool, count: int) -> None:
    assert len(feed(Framing(keep_empty=keep), b"\r\r\nA\r\n")) == count


def test_f23_two_framers_never_mix_their_bytes() -> None:
    left, right = Framer(Framing()), Framer(Framing())
    frames: list[bytes] = []
    for one, other in zip(b"P-1\r", b"X-2\r", strict=True):
        frames += raws(left.feed(bytes([one]), clock()))
        frames += raws(right.feed(bytes([other]), clock()))
    assert frames == [b"P-1", b"X-2"]


def test_a_frame_becomes_a_read_of_its_device() -> None:
    read = Frame(raw=b"P-1", clock=clock(4), damaged=True).read("dock")
    assert (read.raw, read.device, read.clock.mono) == (b"P-1", "dock", 4)
    assert read.damaged
    assert not read.unterminated


def test_f30_marks_of_the_terminal_are_undone_and_tell_the_noisy_bytes() -> None:
    unmark = Unmark()
    assert unmark.feed(b"A\xff\xffB\xff\x00\x91C\xff\x00\x00") == [
        (b"A", False),
        (b"\xff", False),
        (b"B", False),
        (b"\x91", True),
        (b"C", False),
        (b"\x00", True),
    ]


def test_a_mark_that_is_split_is_held_until_it_is_whole() -> None:
    unmark = Unmark()
    assert unmark.feed(b"\xff") == []
    assert unmark.feed(b"\x00") == []
    assert unmark.feed(b"\x91") == [(b"\x91", True)]
    assert unmark.feed(b"\xff") == []
    assert unmark.feed(b"A") == [(b"\xff", False), (b"A", False)]
