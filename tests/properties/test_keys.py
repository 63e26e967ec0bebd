"""Whatever is scanned, ``parse`` answers."""

import re
from itertools import product

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.keys import Kind, Site, parse
from tests.properties.scans import (
    BEGINNINGS,
    GS1_LIKE,
    IDENTIFIERS,
    NAMING,
    SITE,
    is_whole,
)

anything = st.text() | st.text(alphabet=st.characters(max_codepoint=255))
beginnings = st.sampled_from(BEGINNINGS)
gs1_like = st.text(alphabet=GS1_LIKE, max_size=80)
scans = st.builds(
    lambda *parts: "".join(parts),
    st.just("") | st.sampled_from(IDENTIFIERS),
    beginnings,
    anything | gs1_like,
)


@given(scans, st.sampled_from(["X-PICK", "X-DEPART", "x-undo"]), scans)
def test_f29_a_command_inside_another_code_is_no_command(
    before: str, command: str, after: str
) -> None:
    raw = before + command + after
    own = r"(\][A-Za-z][0-9A-F])?[ \t\r\n\0]*X-[A-Z0-9.-]{1,128}[ \t\r\n\0]*"
    if not re.fullmatch(own, raw, re.ASCII | re.IGNORECASE):
        assert parse(raw, SITE).kind is not Kind.COMMAND


@given(scans, st.sampled_from([Site(), SITE]))
@example("]Q2\\000003\\\\", Site())
@example("]C1\x1d", Site())
@example("]e0|]e", Site())
@example("https://id.gs1.org/01/%D9%A1" * 3, Site())
@example("]C13929" + "1" * 15, Site())
def test_parse_answers_whatever_comes(raw: str, site: Site) -> None:
    assert is_whole(parse(raw, site), raw)


def test_parse_answers_every_one_and_two_bytes_with_and_without_identifier() -> None:
    ones = [chr(byte) for byte in range(256)]
    twos = ["".join(pair) for pair in product(ones, ones)]
    behind = [head + tail for head in IDENTIFIERS for tail in ones]
    raws = ["", *ones, *twos, *behind]
    assert len(raws) == 1 + 256 + 65536 + 65536
    assert [raw for raw in raws if not is_whole(parse(raw), raw)] == []


@given(scans)
@example("]C1010952123454321321A-1")
@example("]C14149521234543213254A")
def test_a_key_that_names_an_item_is_its_own_key(raw: str) -> None:
    key = parse(raw)
    # a serial number may hold brackets, and then people cannot write it down
    serial = re.sub(r"^\([0-9]{2,4}\)|\((?:21|254)\)", "", key.text)
    if key.kind in NAMING - {Kind.COMMAND, Kind.LOCATION} and "(" not in serial:
        assert parse(key.text).text == key.text or ")" in serial


own = st.text(alphabet="ABCXYZ0189.-", min_size=1, max_size=64)


@given(st.sampled_from("PCMB"), own)
def test_our_own_codes_are_their_own_keys(letter: str, rest: str) -> None:
    code = f"{letter}-{rest}"
    assert parse(code).text == parse(code.lower()).text == code
    assert parse(f"]C0{code}").text == code


@given(st.sampled_from("PCMLBX"), own, st.characters(), st.integers(0, 64))
def test_one_other_character_makes_our_own_code_unknown(
    letter: str, rest: str, other: str, at: int
) -> None:
    if other.isascii() and (other.isalnum() or other in "-. \t\r\n"):
        return
    raw = f"{letter}-{rest[:at]}{other}{rest[at:]}"
    assert parse(raw).kind is Kind.UNKNOWN


@pytest.mark.parametrize("text", ["'; DROP TABLE--", "<script>", "=1+1", "\x1b[2J"])
def test_barcode_text_never_becomes_a_key_by_itself(text: str) -> None:
    for head in ["", *IDENTIFIERS]:
        assert parse(head + text).kind not in NAMING
