import subprocess
import sys
from urllib.parse import quote

import pytest

from shared.keys import LONGEST_TEXT, Key, Kind, Role, Site, SitePattern, parse
from shared.patterns import compile_pattern

SSCC = "340123450000000017"
GTIN = "09521234543213"


@pytest.mark.parametrize(
    ("raw", "kind", "text", "role"),
    [
        (f"]C100{SSCC}", Kind.ITEM, f"(00){SSCC}", Role.UNSAID),
        (f"]C101{GTIN}211234", Kind.ITEM, f"(01){GTIN}(21)1234", Role.UNSAID),
        (f"]d28003{GTIN}T7", Kind.ITEM, f"(8003){GTIN}T7", Role.CONTAINER),
        ("]C180049521234X/1", Kind.ITEM, "(8004)9521234X/1", Role.UNSAID),
        ("]C140295212340000000013", Kind.ITEM, "(402)95212340000000013", Role.LOAD),
        ("]C14019521234AB", Kind.ITEM, "(401)9521234AB", Role.LOAD),
        ("]C14149521234543213", Kind.LOCATION, "(414)9521234543213", Role.UNSAID),
        (
            "]Q34149521234543213254A-1",
            Kind.LOCATION,
            "(414)9521234543213(254)A-1",
            Role.UNSAID,
        ),
        ("P-000123", Kind.ITEM, "P-000123", Role.PARCEL),
        ("C-TOTE.7", Kind.ITEM, "C-TOTE.7", Role.CONTAINER),
        ("M-0001", Kind.ITEM, "M-0001", Role.LOAD),
        ("L-NORTH.A-03-02", Kind.LOCATION, "NORTH.A-03-02", Role.UNSAID),
        ("B-042", Kind.OPERATOR, "B-042", Role.UNSAID),
        ("X-PICK", Kind.COMMAND, "PICK", Role.UNSAID),
        ("1Z 5R8 939 03 5756 7127", Kind.ITEM, "1Z5R89390357567127", Role.PARCEL),
        ("rb123456785gb", Kind.ITEM, "RB123456785GB", Role.PARCEL),
        ("HELLO world", Kind.UNKNOWN, "HELLO world", Role.UNSAID),
    ],
)
def test_every_row_of_the_contract_s_table_has_its_key(
    raw: str, kind: Kind, text: str, role: Role
) -> None:
    key = parse(raw)
    assert (key.kind, key.text, key.role) == (kind, text, role)


@pytest.mark.parametrize(
    "raw",
    [
        f"]C101{GTIN}",
        f"]C101{GTIN}10LOT",
        "]E09521234543213",
        "]E39521234543213" + "12",
        "]E496385074",
        f"]I1{GTIN}",
        "]E112",
        f"https://id.gs1.org/01/{GTIN}/10/LOT",
        f"(01){GTIN}",
        f"01{GTIN}",
        "9521234543213",
        "012345678905",
        GTIN,
        "96385074",
    ],
)
def test_a_product_s_number_alone_is_refused_with_a_reason(raw: str) -> None:
    key = parse(raw)
    assert key.kind is Kind.REFUSED
    assert "product" in key.reason


def test_96385074_without_an_identifier_is_a_product_and_no_element_string() -> None:
    assert parse("96385074").kind is Kind.REFUSED
    assert parse("]C196385074").kind is Kind.UNKNOWN  # AI 96, a company's own
    assert parse("]C096385074").kind is Kind.UNKNOWN


@pytest.mark.parametrize(
    "raw",
    [
        "]C100340123450000000018",
        "00340123450000000018",
        "(00)340123450000000018",
        "https://id.gs1.org/00/340123450000000018",
        "]C10109521234543214211234",
        "]E09521234543214",
        "]C180030952123454321" + "4A",
        "]C14149521234543214",
        "]C140295212340000000010",
    ],
)
def test_a_wrong_check_digit_is_refused_and_said(raw: str) -> None:
    key = parse(raw)
    assert key.kind is Kind.REFUSED
    assert "check digit" in key.reason


@pytest.mark.parametrize(
    "raw",
    [
        f"]C101{GTIN}10LOT\x1d211234",
        f"]C1211234\x1d01{GTIN}",
        f"]C117261231211234\x1d01{GTIN}10LOT",
        f"]C110LOT\x1d\x1d01{GTIN}211234\x1d",
        f"]C11726023001{GTIN}211234",  # the 30th of February is no reason to stop
        f"\x1d01{GTIN}211234",
        f"01{GTIN}17261231211234",
        f"]Q5https://id.gs1.org/01/{GTIN}/10/LOT/21/1234?17=261231",
        f"]Q1HTTPS://EXAMPLE.ORG/shop/01/{GTIN}/21/1234",
        f"]d2https://example.org/01/{GTIN}/21/1234",
        f"HtTp://example.org/01/{GTIN[1:]}/21/1234",
        f"(01){GTIN}(10)LOT(21)1234",
        f"]E0{GTIN[1:]}|]e0211234",
        f"]d501{GTIN}211234\r\n",
    ],
)
def test_the_same_thing_has_one_key_however_its_label_is_written(raw: str) -> None:
    assert parse(raw).text == f"(01){GTIN}(21)1234"


@pytest.mark.parametrize(
    "raw", ["", " ", "\r\n", "\0", "\x1d", "]C1", "]Q1", "]J1", "]e0 ", "]C1\x1d"]
)
def test_a_read_without_data_is_empty(raw: str) -> None:
    assert parse(raw).kind is Kind.EMPTY


@pytest.mark.parametrize("raw", ["]", "]X", "]XX", "]J", "]Jx", "]J1ABC", "]C1P-1"])
def test_what_makes_no_sense_is_unknown_and_kept(raw: str) -> None:
    key = parse(raw)
    assert key.kind is Kind.UNKNOWN
    assert raw.endswith(key.text)


@pytest.mark.parametrize("raw", [f"]C0{SSCC}", SSCC, "]C0" + f"00{SSCC}"])
def test_eighteen_digits_in_plain_code_128_are_no_sscc(raw: str) -> None:
    assert not parse(raw).text.startswith("(00)")
    assert parse(raw).kind is Kind.UNKNOWN


@pytest.mark.parametrize(
    "raw", [f"(010){GTIN[1:]}", f"(00){SSCC}(99", "(00)", f"]E0{GTIN[1:]}|]e0(21)"]
)
def test_brackets_and_components_that_are_not_gs1_s_name_nothing(raw: str) -> None:
    assert parse(raw).kind in {Kind.UNKNOWN, Kind.REFUSED}
    assert "product" not in parse(raw).reason


def test_the_identifier_is_kept_with_the_key() -> None:
    assert parse("]C0P-1") == Key(
        kind=Kind.ITEM, text="P-1", role=Role.PARCEL, symbology="C0"
    )
    assert parse("P-1").symbology is None


@pytest.mark.parametrize("raw", ["p-ab1", " P-Ab1\r\n", "]C0p-aB1", "]d4P-ab1"])
def test_our_own_codes_are_upper_case(raw: str) -> None:
    assert parse(raw).text == "P-AB1"


@pytest.mark.parametrize(
    "raw",
    [
        "P-",
        "P-A B",
        "P-A_B",
        "P-Ä",
        "P-A\x1dB",
        "P-\u212a",  # the sign for kelvin, which lower-cases to k
        "P-<b>",
        "L-A;DROP",
        "X-PICK\x1b[2J",
        "P-" + "1" * 129,
        "Q-1",
    ],
)
def test_other_characters_behind_a_prefix_are_unknown(raw: str) -> None:
    assert parse(raw).kind is Kind.UNKNOWN


def test_digits_of_other_scripts_are_no_digits_of_gs1() -> None:
    arabic = "".join(chr(0x660 + int(digit)) for digit in SSCC)
    escaped = quote(arabic)
    for raw in (f"]C100{arabic}", f"(00){arabic}", f"https://id.gs1.org/00/{escaped}"):
        assert parse(raw).kind is Kind.UNKNOWN


def test_a_guess_with_a_wrong_check_digit_accuses_only_what_must_be_an_sscc() -> None:
    assert parse("00340123450000000018").kind is Kind.REFUSED
    assert parse("0109521234543214211234").kind is Kind.UNKNOWN
    assert parse("4149521234543214").kind is Kind.UNKNOWN


def test_two_different_numbers_of_one_kind_on_a_label_are_not_guessed_between() -> None:
    key = parse(f"]C100{SSCC}00106141412345678908")
    assert key.kind is Kind.UNKNOWN
    assert "two different" in key.reason


def test_a_text_without_end_is_cut_and_unknown() -> None:
    key = parse("A" * (LONGEST_TEXT + 1))
    assert (key.kind, len(key.text)) == (Kind.UNKNOWN, LONGEST_TEXT)
    assert parse("]C1" + "10A\x1d" * 1000).kind is Kind.UNKNOWN


def test_twelve_digits_that_can_be_product_or_parcel_need_the_site_s_word() -> None:
    both = "100000000014"  # right as UPC-A, and as FedEx Express
    key = parse(both)
    assert key.kind is Kind.REFUSED
    assert "FedEx" in key.reason
    assert parse(both, Site(carriers=frozenset({"FedEx"}))).kind is Kind.ITEM
    assert parse(f"]C0{both}").kind is Kind.ITEM
    assert parse(f"]E00{both}").kind is Kind.REFUSED


def test_a_site_s_pattern_makes_items_of_what_is_otherwise_unknown() -> None:
    rows = (
        SitePattern(compile_pattern("WH#{6}"), Role.CONTAINER),
        SitePattern(compile_pattern("#{8}")),
    )
    site = Site(patterns=rows)
    assert parse("WH000001").kind is Kind.UNKNOWN
    assert parse("WH000001", site).role is Role.CONTAINER
    assert parse("96385074", site).kind is Kind.ITEM
    assert parse("]E496385074", site).kind is Kind.REFUSED
    assert parse("WH00001", site).kind is Kind.UNKNOWN


def test_a_site_s_pattern_cannot_take_a_misread_sscc() -> None:
    site = Site(patterns=(SitePattern(compile_pattern("?{1,64}")),))
    assert parse("]C100340123450000000018", site).kind is Kind.REFUSED
    assert parse("P-1", site).role is Role.PARCEL


def test_a_postal_routing_code_stays_part_of_the_number() -> None:
    key = parse("]C142078745\x1d9400111206206406260787")
    assert (key.text, key.issuer) == ("420787459400111206206406260787", "USPS")


def test_biip_is_imported_only_by_the_first_gs1_label() -> None:
    program = (
        "import sys\n"
        "from shared.keys import parse\n"
        "parse('P-1'), parse('1Z5R89390357567127'), parse('HELLO')\n"
        "assert 'biip' not in sys.modules\n"
        f"parse(']C100{SSCC}')\n"
        "assert 'biip' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_biip_comes_without_its_table_of_companies_most_of_its_memory() -> None:
    program = (
        "import lzma\n"
        "from shared.keys import parse\n"
        "del lzma.decompress  # the table is packed\n"
        f"assert parse(']C100{SSCC}').text == '(00){SSCC}'\n"
        "assert parse(']C1010952123454321321A').text == '(01)09521234543213(21)A'\n"
        "assert parse(']C14149521234543213').text == '(414)9521234543213'\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
