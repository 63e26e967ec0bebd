"""However the bytes were split on their way, the frames are the same."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from edge.scanners.framing import Frame, Framer, Framing, Unmark
from shared.protocol import ClockReading

CLOCK = ClockReading(at=0, boot="b", mono=0, synced=True)
INTERESTING = st.lists(
    st.sampled_from([b"\r", b"\n", b"\t", b"\x02", b"\x03", b"#", b"A", b"\x1d"])
    | st.binary(max_size=4),
    max_size=40,
).map(b"".join)
FRAMINGS = st.builds(
    Framing,
    terminators=st.lists(
        st.sampled_from([b"\r", b"\n", b"\r\n", b"\t", b"\x03", b"##", b"#\r"]),
        unique=True,
        max_size=4,
    ).map(tuple),
    start=st.sampled_from([b"", b"\x02"]),
    prefix=st.sampled_from([b"", b"A"]),
    suffix=st.sampled_from([b"", b"A"]),
    max_length=st.integers(1, 12),
    keep_empty=st.booleans(),
)


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({cut % (len(data) + 1) for cut in cuts} | {0, len(data)})
    return [data[a:b] for a, b in pairwise(places)]


def frames_of(framing: Framing, pieces: list[bytes], *, silent: bool) -> list[Frame]:
    framer = Framer(framing)
    frames = [frame for piece in pieces for frame in framer.feed(piece, CLOCK)]
    return frames + (framer.silence() if silent else framer.cut())


@given(FRAMINGS, INTERESTING, st.lists(st.integers(0, 1000)), st.booleans())
def test_f24_any_split_of_the_same_bytes_gives_the_same_frames(
    framing: Framing,
    data: bytes,
    cuts: list[int],
    silent: bool,  # noqa: FBT001 - drawn by Hypothesis, by position
) -> None:
    whole = frames_of(framing, [data], silent=silent)
    assert frames_of(framing, split(data, cuts), silent=silent) == whole
    assert frames_of(framing, [bytes([b]) for b in data], silent=silent) == whole


@given(FRAMINGS, INTERESTING)
def test_f25_no_frame_is_longer_than_the_limit_and_none_holds_an_end(
    framing: Framing, data: bytes
) -> None:
    for frame in frames_of(framing, [data], silent=False):
        assert len(frame.raw) <= framing.max_length
        ends = [end for end in framing.terminators if len(end) == 1]
        assert not any(end in frame.raw for end in ends)


@given(
    st.lists(
        st.binary(min_size=1, max_size=60).filter(
            lambda code: not set(code) & set(b"\r\n")
        )
    ),
    st.sampled_from([b"\r", b"\n", b"\r\n"]),
    st.lists(st.integers(0, 5000)),
)
def test_f25_every_code_comes_out_unchanged_once_and_in_order(
    codes: list[bytes], end: bytes, cuts: list[int]
) -> None:
    data = b"".join(code + end for code in codes)
    frames = frames_of(Framing(), split(data, cuts), silent=True)
    assert [frame.raw for frame in frames] == codes
    assert not any(frame.damaged or frame.unterminated for frame in frames)


def marked(data: bytes, noisy: set[int]) -> bytes:
    """Mark bytes as the kernel does."""
    return b"".join(
        b"\xff\x00" + bytes([byte])
        if at in noisy
        else bytes([byte]).replace(b"\xff", b"\xff\xff")
        for at, byte in enumerate(data)
    )


@given(st.binary(max_size=80), st.sets(st.integers(0, 80)), st.lists(st.integers(0)))
def test_f30_marks_are_undone_however_they_were_split(
    data: bytes, noisy: set[int], cuts: list[int]
) -> None:
    unmark = Unmark()
    pieces = [
        piece
        for part in split(marked(data, noisy), cuts)
        for piece in unmark.feed(part)
    ]
    assert b"".join(piece for piece, _ in pieces) == data
    flags = [flag for piece, flag in pieces for _ in piece]
    assert flags == [at in noisy for at in range(len(data))]
