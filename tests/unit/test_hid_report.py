from collections.abc import Iterable

import pytest

from edge.scanners.decoded import Damage, Decoded
from edge.scanners.hid_report import (
    Field,
    PosDecoder,
    PosLayout,
    parse_descriptor,
    parse_report,
)
from tests import hid_scanner
from tests.hid_scanner import descriptor, item, reports

LONG = bytes(range(48, 58)) * 30


def layout(*, numbered: bool = True, counted: bool = True) -> PosLayout:
    found = parse_descriptor(descriptor(numbered=numbered, counted=counted))
    assert found
    return found


def feed(to: PosDecoder, given: Iterable[bytes]) -> list[Decoded]:
    return [read for report in given for read in to.feed(report)]


def damaged(raw: bytes, damage: Damage) -> list[Decoded]:
    return [Decoded(raw=raw, damage=damage)]


def test_the_descriptor_says_where_everything_lies() -> None:
    assert layout() == PosLayout(
        report_id=2,
        data=Field(32, 8, 56),
        length=Field(0, 8, 1),
        identifiers=(Field(8, 8, 1), Field(16, 8, 1), Field(24, 8, 1)),
        continued=Field(496, 1, 8),
    )


@pytest.mark.parametrize(
    "junk",
    [
        b"",
        b"\xfe",
        b"\xfe\xff",
        bytes(64),
        item(0x05, 0x07) + item(0x09, 0x06) + item(0xA1, 1),  # a keyboard
        item(0x05, 0x8C) + item(0x09, 0xFE) + item(0x81, 2),  # no size
        item(0x05, 0x8C) + item(0x09, 0xFE) + item(0x75, 7) + item(0x95, 9) + b"\x81",
        item(0x05, 0x8C)
        + item(0x77, 2**32 - 1)
        + item(0x97, 2**32 - 1)
        + b"\x09\xfe\x81\x02",
        item(0x05, 0x8C) + item(0x75, 8) + item(0x97, 2**20) + b"\x09\xfe\x81\x02",
        item(0xB4) * 99,  # pops of nothing
    ],
)
def test_a_descriptor_without_decoded_data_is_none(junk: bytes) -> None:
    assert parse_descriptor(junk) is None


def test_a_usage_with_its_page_and_a_long_item_are_understood() -> None:
    words = item(0x75, 8) + item(0x95, 4) + item(0x0B, 0x008C00FE) + item(0x81, 2)
    found = parse_descriptor(b"\xfe\x02\x00\xaa\xbb" + words)
    assert found == PosLayout(report_id=0, data=Field(0, 8, 4))


def test_a_code_carries_its_identifier_in_front() -> None:
    code = b"00340123450000000018"
    assert feed(PosDecoder(layout()), reports(code)) == [Decoded(raw=b"]C1" + code)]


@pytest.mark.parametrize("numbered", [True, False])
@pytest.mark.parametrize("counted", [True, False])
def test_a_long_code_is_put_together(*, numbered: bool, counted: bool) -> None:
    decoder = PosDecoder(layout(numbered=numbered, counted=counted))
    given = reports(LONG, b"]d2", numbered=numbered, counted=counted)
    assert len(given) == 6
    assert feed(decoder, given) == [Decoded(raw=b"]d2" + LONG)]


def test_bytes_are_kept_zeros_too() -> None:
    code = b"\0\x1d\xff\r\n\0"
    assert feed(PosDecoder(layout()), reports(code)) == [Decoded(raw=b"]C1" + code)]


def test_a_code_that_fills_its_report_ends_there() -> None:
    code = b"7" * hid_scanner.ROOM
    assert feed(PosDecoder(layout()), reports(code)) == [Decoded(raw=b"]C1" + code)]


@pytest.mark.parametrize(
    ("sent", "identifier"),
    [
        (b"]Q3", b"]Q3"),
        (b"C1", b"]C1"),
        (b"\0\0\0", b""),
        (b"\x0b\0\0", b""),  # a maker's own number
        (b"]\0\0", b""),
        (b"]C\x01", b""),
    ],
)
def test_only_an_aim_identifier_is_put_in_front(sent: bytes, identifier: bytes) -> None:
    read = feed(PosDecoder(layout()), reports(b"12345", sent))
    assert read == [Decoded(raw=identifier + b"12345")]


def test_a_suffix_is_taken_off_where_it_is_configured() -> None:
    assert feed(PosDecoder(layout(), suffix=b"\r"), reports(b"12\r")) == [
        Decoded(raw=b"]C112")
    ]
    assert feed(PosDecoder(layout()), reports(b"12\r")) == [Decoded(raw=b"]C112\r")]


def test_other_reports_are_passed_over() -> None:
    decoder = PosDecoder(layout())
    given = reports(LONG)
    given[1:1] = [b"\x04\x01", b"", b"\x01" + bytes(63)]
    assert feed(decoder, given) == [Decoded(raw=b"]C1" + LONG)]


def test_an_identifier_in_the_first_report_only_is_enough() -> None:
    first, *others = reports(LONG)
    given = [first, *(r[:2] + b"\0\0\0" + r[5:] for r in others)]
    assert feed(PosDecoder(layout()), given) == [Decoded(raw=b"]C1" + LONG)]


def test_a_code_that_is_never_continued_is_damaged() -> None:
    decoder = PosDecoder(layout())
    assert feed(decoder, reports(LONG)[:2]) == []
    raw = b"]C1" + LONG[:112]
    assert decoder.silence() == [Decoded(raw=raw, damage=Damage.CUT, unterminated=True)]
    assert decoder.silence() == []
    assert feed(decoder, reports(b"1")) == [Decoded(raw=b"]C11")]


def test_f22_a_code_in_progress_when_the_device_went_is_damaged() -> None:
    decoder = PosDecoder(layout())
    assert feed(decoder, reports(LONG)[:1]) == []
    (read,) = decoder.gone()
    assert read.damage is Damage.GONE
    assert decoder.gone() == []


def test_a_code_after_a_loss_is_damaged_and_the_next_is_not() -> None:
    decoder = PosDecoder(layout())
    first, _, *rest = reports(LONG)
    assert feed(decoder, [first]) == []
    decoder.overrun()
    (read,) = feed(decoder, rest)
    assert read.damage is Damage.LOST
    assert feed(decoder, reports(b"1")) == [Decoded(raw=b"]C11")]


def test_another_symbology_in_the_middle_is_a_loss() -> None:
    given = [*reports(LONG, b"]C1")[:2], *reports(b"77", b"]Q3")]
    (read,) = feed(PosDecoder(layout()), given)
    assert read.damage is Damage.LOST


@pytest.mark.parametrize("keep", [1, 2, 4, 10, 63])
def test_a_short_report_is_damage_and_hides_no_end(keep: int) -> None:
    decoder = PosDecoder(layout())
    given = [reports(b"1234567890")[0][:keep], *reports(b"77")]
    (read,) = feed(decoder, given)
    assert read.damage is Damage.MALFORMED


def test_a_count_beyond_the_report_is_damage() -> None:
    report = bytearray(reports(b"1234567890")[0])
    report[1] = 57
    values = parse_report(layout(), bytes(report))
    assert values
    assert values.malformed


def test_f25_a_code_longer_than_the_limit_is_cut_there_and_damaged() -> None:
    decoder = PosDecoder(layout(), max_length=100)
    expected = damaged(b"]C1" + LONG[:100], Damage.LONG)
    assert feed(decoder, reports(LONG)) == expected


def test_f27_one_code_twice_is_two_reads() -> None:
    given = [*reports(b"P-1"), *reports(b"P-1")]
    assert feed(PosDecoder(layout()), given) == [Decoded(raw=b"]C1P-1")] * 2


def test_an_empty_report_is_nothing() -> None:
    assert feed(PosDecoder(layout()), reports(b"", b"")) == []
