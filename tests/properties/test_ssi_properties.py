"""No bytes make the SSI decoder raise, and no split of them changes what it finds."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from edge.scanners.zebra_ssi import Conversation, Message, Packet, Packets, encode
from shared.protocol import ClockReading

CLOCK = ClockReading(at=0, boot="b", mono=0, synced=True)
PACKETS = st.builds(
    Packet,
    opcode=st.sampled_from([0xF3, 0xF3, 0xF6, 0xD0]),
    source=st.just(0),
    status=st.integers(0, 3),
    data=st.binary(max_size=251),
)
STREAMS = st.lists(PACKETS.map(encode) | st.binary(max_size=20), max_size=8).map(
    b"".join
)


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({cut % (len(data) + 1) for cut in cuts} | {0, len(data)})
    return [data[a:b] for a, b in pairwise(places)]


@given(st.lists(PACKETS))
def test_packets_come_out_as_they_went_in(packets: list[Packet]) -> None:
    assert Packets().feed(b"".join(map(encode, packets))) == packets


@given(STREAMS, st.lists(st.integers(0, 5000)))
def test_f24_any_split_of_the_same_bytes_gives_the_same_packets(
    data: bytes, cuts: list[int]
) -> None:
    whole, pieces = Packets(), Packets()
    expected = whole.feed(data)
    found = [p for piece in split(data, cuts) for p in pieces.feed(piece)]
    assert found == expected
    assert pieces.silence() == whole.silence()


@given(st.lists(st.binary(max_size=300) | st.none()))
def test_f30_junk_never_raises_and_never_piles_up(pieces: list[bytes | None]) -> None:
    talk = Conversation(window=10, max_length=300)
    for piece in pieces:
        if piece is None:
            talk.silence(CLOCK)
        else:
            talk.feed(piece, CLOCK)
        assert len(talk._packets._bytes) <= 257
    talk.cut(CLOCK)


@given(
    st.binary(max_size=250),
    st.integers(0, 255),
    st.integers(0, 2000).filter(lambda bit: bit > 0),
)
def test_f30_a_code_with_one_wrong_bit_is_never_taken_for_another(
    text: bytes, code_type: int, bit: int
) -> None:
    packet = Packet(opcode=0xF3, source=0, data=bytes([code_type]) + text)
    data = bytearray(encode(packet))
    data[bit // 8 % len(data)] ^= 1 << bit % 8
    talk = Conversation(window=10, max_length=300)
    outcomes = talk.feed(bytes(data), CLOCK) + talk.silence(CLOCK)
    inside = Packets()
    harmless = inside.feed(encode(packet)[1:]) + inside.silence()[0]
    assert harmless or not [o for o in outcomes if isinstance(o, Message)]
