"""The rules of network readers, without a network."""

import ipaddress

import pytest

from edge.scanners.framing import Frame
from edge.scanners.reader_settings import ReaderSettings
from edge.scanners.tcp_reader import codes_of, delay, is_allowed
from shared.protocol import ClockReading

CLOCK = ClockReading(at=0, boot="b", mono=0, synced=True)
RULES = ReaderSettings(separator=";", heartbeat=("HB",), no_read=("NOREAD", "?"))


@pytest.mark.parametrize(
    ("raw", "codes", "no_reads"),
    [
        (b"P-1", [b"P-1"], 0),
        (b"P-1;P-2", [b"P-1", b"P-2"], 0),
        (b"NOREAD", [], 1),
        (b"P-1;?;P-2;NOREAD", [b"P-1", b"P-2"], 2),
        (b";;", [], 0),
        (b"HB", [], 0),
        (b"HB;P-1", [b"HB", b"P-1"], 0),
        (b"noread", [b"noread"], 0),
        (b"P-NOREAD", [b"P-NOREAD"], 0),
    ],
)
def test_a_message_is_codes_and_no_reads(
    raw: bytes, codes: list[bytes], no_reads: int
) -> None:
    assert codes_of(Frame(raw=raw, clock=CLOCK), RULES) == (codes, no_reads)


@pytest.mark.parametrize("raw", [b"NOREAD", b"HB", b"P-1;P-2", b""])
def test_f30_nothing_is_made_of_the_parts_of_a_damaged_message(raw: bytes) -> None:
    assert codes_of(Frame(raw=raw, clock=CLOCK, damaged=True), RULES) == ([raw], 0)


def test_without_a_separator_a_message_is_one_code() -> None:
    rules = ReaderSettings()
    assert codes_of(Frame(raw=b"P-1;P-2", clock=CLOCK), rules) == ([b"P-1;P-2"], 0)


def test_pauses_grow_to_their_limit_and_jitter_from_nothing() -> None:
    assert [delay(attempt, 5, 1.0) for attempt in range(6)] == [0.5, 1, 2, 4, 5, 5]
    assert delay(10_000, 5, 1.0) == 5
    assert delay(3, 5, 0.0) == 0
    assert delay(3, 5, 0.25) == 1.0


@pytest.mark.parametrize(
    ("peer", "expected"),
    [
        ("10.1.2.3", True),
        ("10.1.3.1", False),
        ("::ffff:10.1.2.3", True),
        ("fe80::1%eth0", True),
        ("fe81::1", False),
        ("", False),
        ("/run/socket", False),
    ],
)
def test_who_may_connect(peer: str, *, expected: bool) -> None:
    networks = (ipaddress.ip_network("10.1.2.0/24"), ipaddress.ip_network("fe80::1"))
    assert is_allowed(peer, networks) is expected
