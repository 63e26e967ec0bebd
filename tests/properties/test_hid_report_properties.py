from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from edge.scanners.hid_report import PosDecoder, parse_descriptor, parse_report
from tests.hid_scanner import descriptor, reports

DESCRIPTOR = descriptor()
LAYOUT = parse_descriptor(DESCRIPTOR)
assert LAYOUT is not None
CODES = st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=5)


def _flipped(data: st.DataObject) -> bytes:
    raw = bytearray(DESCRIPTOR)
    for _ in range(data.draw(st.integers(0, 6))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    return bytes(raw)


@given(st.binary(max_size=300), st.binary(max_size=100))
def test_no_bytes_make_a_descriptor_or_report_raise(first: bytes, then: bytes) -> None:
    layout = parse_descriptor(first) or LAYOUT
    assert layout
    parse_report(layout, then)


@given(st.data(), st.lists(st.binary(max_size=80), max_size=8))
def test_no_damaged_descriptor_makes_its_decoder_raise_or_keep_too_much(
    data: st.DataObject, given_reports: list[bytes]
) -> None:
    layout = parse_descriptor(_flipped(data))
    if layout is None:
        return
    decoder = PosDecoder(layout, max_length=64)
    reads = [read for report in given_reports for read in decoder.feed(report)]
    reads += [*decoder.silence(), *decoder.gone()]
    assert all(len(read.raw) <= 64 + 3 for read in reads)


@given(CODES)
def test_codes_come_out_as_they_were_sent(codes: list[bytes]) -> None:
    assert LAYOUT
    decoder = PosDecoder(LAYOUT)
    reads = [r for c in codes for report in reports(c) for r in decoder.feed(report)]
    assert [read.raw for read in reads] == [b"]C1" + code for code in codes]
    assert not any(read.damage for read in reads)


@given(CODES, st.data())
def test_a_marked_loss_anywhere_never_yields_a_shorter_code(
    codes: list[bytes], data: st.DataObject
) -> None:
    assert LAYOUT
    decoder = PosDecoder(LAYOUT)
    sent = [report for code in codes for report in reports(code)]
    start = data.draw(st.integers(0, len(sent) - 1))
    stop = data.draw(st.integers(start + 1, len(sent)))
    reads = [read for report in sent[:start] for read in decoder.feed(report)]
    decoder.overrun()
    reads += [read for report in sent[stop:] for read in decoder.feed(report)]
    reads += decoder.silence()
    trusted = Counter(read.raw for read in reads if not read.damage)
    assert trusted <= Counter(b"]C1" + code for code in codes)
    assert any(read.damage for read in reads)
