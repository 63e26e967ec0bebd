"""Zebra's Simple Serial Interface: its packets, and the host's part in them."""

import pytest

from edge.scanners import Tone
from edge.scanners.zebra_ssi import (
    ACK,
    ANSWERS,
    NAK_RESEND,
    Again,
    Conversation,
    Garbled,
    Message,
    Outcome,
    Packet,
    Packets,
    Reply,
    aim_identifier,
    beep,
    encode,
    led_off,
    led_on,
    nak,
)
from shared.protocol import ClockReading

CODE_128, GS1_128, QR, PDF417 = 0x03, 0x0F, 0x1C, 0x11
AGAIN, MORE = 1, 2


def clock(mono: int = 0) -> ClockReading:
    return ClockReading(at=0, boot="b", mono=mono, synced=True)


def decoded(text: bytes, code_type: int = PDF417, status: int = 0) -> bytes:
    data = bytes([code_type]) + text
    return encode(Packet(opcode=0xF3, source=0, status=status, data=data))


def conversation(**fields: int) -> Conversation:
    return Conversation(**{"window": 10_000_000, "max_length": 8192, **fields})


def message(raw: bytes, mono: int = 0, *, damaged: bool = False) -> Message:
    return Message(raw, clock(mono), damaged)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (ACK, "04 D0 04 00 FF 28"),
        (NAK_RESEND, "05 D1 04 00 01 FF 25"),
        (nak(6), "05 D1 04 00 06 FF 20"),
        (beep(0), "05 E6 04 00 00 FF 11"),
        (led_on(), "05 E7 04 00 01 FF 0F"),
        (led_off(), "05 E8 04 00 01 FF 0E"),
    ],
)
def test_packets_are_those_of_the_guide(data: bytes, expected: str) -> None:
    assert data == bytes.fromhex(expected)


def test_a_packet_takes_251_bytes_of_data() -> None:
    assert len(encode(Packet(opcode=0xF3, data=b"x" * 251))) == 257
    with pytest.raises(ValueError, match="takes 251"):
        encode(Packet(opcode=0xF3, data=b"x" * 252))


def test_every_answer_is_an_ack_or_a_nak_and_a_beep() -> None:
    for tone, answer in ANSWERS.items():
        first = nak(6) if tone is Tone.ERROR else ACK
        assert answer.startswith(first)
        assert answer[len(first) + 1] == 0xE6
    assert len(set(ANSWERS.values())) == len(Tone)


def test_a_bar_code_is_a_message_that_nothing_answers_yet() -> None:
    assert conversation().feed(decoded(b"P-1"), clock(5)) == [message(b"P-1", 5)]


@pytest.mark.parametrize(
    ("code_type", "text", "expected"),
    [
        (GS1_128, b"00340123450000000018", b"]C100340123450000000018"),
        (CODE_128, b"P-1", b"]C0P-1"),
        (CODE_128, b"]C1P-1", b"]C0]C1P-1"),
        (GS1_128, b"]C100340123450000000018", b"]C100340123450000000018"),
        (QR, b"P-1", b"P-1"),
        (PDF417, b"P-1", b"P-1"),
    ],
)
def test_the_type_of_a_bar_code_becomes_its_aim_identifier_where_that_is_sure(
    code_type: int, text: bytes, expected: bytes
) -> None:
    assert conversation().feed(decoded(text, code_type), clock()) == [message(expected)]


def test_no_identifier_is_made_up() -> None:
    known = {code: aim_identifier(code) for code in range(256)}
    assert {code for code, aim in known.items() if aim} == {
        *(0x03, 0x07, 0x0A, 0x0B, 0x0F, 0x30, 0x31, 0x32, 0xC1, 0xC2)
    }


def test_f25_any_byte_may_be_in_a_code() -> None:
    data = bytes(range(250))
    assert conversation().feed(decoded(data), clock()) == [message(data)]


def test_a_resend_of_the_latest_message_is_that_one_again() -> None:
    talk = conversation()
    talk.feed(decoded(b"P-1"), clock(0))
    resent = decoded(b"P-1", status=AGAIN)
    assert talk.feed(resent, clock(2_000_000)) == [Again(clock(2_000_000))]
    assert talk.feed(resent, clock(4_000_000)) == [Again(clock(4_000_000))]


def test_f27_the_same_code_scanned_twice_is_two_messages() -> None:
    talk = conversation()
    both = talk.feed(decoded(b"P-1") * 2, clock())
    assert both == [message(b"P-1")] * 2


def test_a_resend_of_what_never_arrived_is_new() -> None:
    talk = conversation()
    assert talk.feed(decoded(b"P-1", status=AGAIN), clock()) == [message(b"P-1")]
    assert talk.feed(decoded(b"P-2", status=AGAIN), clock()) == [message(b"P-2")]


def test_a_resend_long_after_is_new() -> None:
    talk = conversation(window=10)
    talk.feed(decoded(b"P-1"), clock(0))
    resent = decoded(b"P-1", status=AGAIN)
    assert talk.feed(resent, clock(11)) == [message(b"P-1", 11)]


def test_f30_a_garbled_packet_is_asked_for_again_and_then_is_new() -> None:
    talk = conversation()
    talk.feed(decoded(b"P-1"), clock(0))
    garbled = bytearray(decoded(b"P-1"))
    garbled[6] ^= 0x40
    assert talk.feed(bytes(garbled), clock(1)) == []
    assert talk.silence(clock(2)) == [Garbled(), Reply(NAK_RESEND)]
    resent = decoded(b"P-1", status=AGAIN)
    assert talk.feed(resent, clock(3)) == [message(b"P-1", 3)]


def test_f30_junk_before_a_packet_costs_nothing_but_itself() -> None:
    talk = conversation()
    assert talk.feed(b"\x00\x01\x02" + decoded(b"P-1"), clock()) == [message(b"P-1")]
    assert talk.silence(clock()) == []


def test_f30_a_packet_behind_a_false_length_is_found_when_the_scanner_waits() -> None:
    talk = conversation()
    assert talk.feed(b"\xf0" + decoded(b"P-1"), clock(1)) == []
    assert talk.silence(clock(2)) == [message(b"P-1", 2)]


def test_other_messages_are_acknowledged_and_answers_are_not_answered() -> None:
    talk = conversation()
    event = encode(Packet(opcode=0xF6, source=0, data=b"\x01"))
    answers = encode(Packet(opcode=0xD0, source=0)) + encode(
        Packet(opcode=0xD1, source=0, data=b"\x01")
    )
    assert talk.feed(event + answers, clock()) == [Reply(ACK)]


def test_our_own_packets_echoed_are_no_packets_of_the_scanner() -> None:
    assert Packets().feed(ACK + beep(0)) == []


def parts(text: bytes, size: int = 250) -> list[bytes]:
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    more = [decoded(piece, status=MORE) for piece in pieces[:-1]]
    return [*more, decoded(pieces[-1])]


def test_a_long_code_comes_in_packets_and_only_the_last_waits_for_the_commit() -> None:
    talk, text = conversation(), b"0123456789" * 60
    outcomes: list[Outcome] = []
    for at, part in enumerate(parts(text)):
        outcomes += talk.feed(part, clock(at))
    assert outcomes == [Reply(ACK), Reply(ACK), message(text, 2)]


def test_a_part_that_is_sent_again_is_taken_once() -> None:
    talk, text = conversation(), b"0123456789" * 60
    first, second, last = parts(text)
    again = decoded(text[:250], status=MORE | AGAIN)
    talk.feed(first + again + second, clock())
    assert talk.feed(last, clock()) == [message(text)]


def test_a_last_part_that_is_sent_again_is_no_code_of_its_own() -> None:
    talk, text = conversation(), b"0123456789" * 30
    talk.feed(b"".join(parts(text)), clock())
    resent = decoded(text[250:], status=AGAIN)
    assert talk.feed(resent, clock(1)) == [Again(clock(1))]
    talk.feed(resent[:-1] + b"?", clock(2))
    assert talk.silence(clock(3)) == [Garbled(), Reply(NAK_RESEND)]
    assert talk.feed(resent, clock(4)) == [Again(clock(4))]


def test_parts_whose_rest_never_came_do_not_run_into_the_next_code() -> None:
    talk = conversation(window=10)
    talk.feed(decoded(b"P-12", status=MORE), clock(0))
    assert talk.feed(decoded(b"P-9"), clock(11)) == [
        message(b"P-12", 11, damaged=True),
        message(b"P-9", 11),
    ]


def test_parts_of_different_types_are_damaged() -> None:
    talk = conversation()
    talk.feed(decoded(b"P-1", PDF417, MORE), clock())
    assert talk.feed(decoded(b"2", QR), clock()) == [message(b"P-12", damaged=True)]


def test_f25_of_a_message_too_long_the_first_bytes_are_kept() -> None:
    talk = conversation(max_length=300)
    outcomes = talk.feed(b"".join(parts(b"9" * 5000)), clock())
    assert outcomes[-1] == message(b"9" * 300, damaged=True)
    assert talk._parts == []


def test_f22_half_a_packet_at_the_unplugging_is_damaged() -> None:
    talk = conversation()
    talk.feed(decoded(b"P-12345")[:-4], clock(1))
    (outcome,) = talk.cut(clock(2))
    assert isinstance(outcome, Message)
    assert outcome.damaged
    assert b"P-123" in outcome.raw


def test_f22_half_a_message_at_the_unplugging_is_damaged() -> None:
    talk = conversation()
    talk.feed(decoded(b"P-12", status=MORE), clock(1))
    assert talk.cut(clock(2)) == [message(b"P-12", 2, damaged=True)]
    assert conversation().cut(clock()) == []
