import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from shared.carriers import FORMATS, ISSUERS, find, normal
from shared.keys import Kind, Site, parse

VECTORS = Path(__file__).parents[2].parent / "shared/vectors/carriers"
ASKED = {"Amazon International", "DHL E-Commerce (14)"}


class Example(NamedTuple):
    form: str
    number: str
    valid: bool


def examples() -> Iterator[Example]:
    for path in sorted(VECTORS.glob("*.json")):
        for form in json.loads(path.read_text(encoding="utf-8"))["tracking_numbers"]:
            for word, valid in (("valid", True), ("invalid", False)):
                for number in form["test_numbers"][word]:
                    yield Example(form["name"], number, valid)


needs_vectors = pytest.mark.skipif(
    not VECTORS.exists(), reason="the carriers' examples are not there"
)


@needs_vectors
def test_every_valid_example_is_an_item_under_its_normal_form() -> None:
    valid = [example for example in examples() if example.valid]
    assert len(valid) > 80
    for form, number, _ in valid:
        site = Site(carriers=ISSUERS if form in ASKED else frozenset())
        key = parse(number, site)
        assert (key.kind, key.text) == (Kind.ITEM, normal(number)), (form, number)
        assert key.issuer


@needs_vectors
def test_every_invalid_example_is_no_carrier_s_number() -> None:
    invalid = [example for example in examples() if not example.valid]
    assert len(invalid) > 40
    assert [number for _, number, _ in invalid if find(number)] == []


@pytest.mark.parametrize("number", ["60120172242323", "C1004444443"])
def test_forms_without_check_digit_count_only_where_the_site_names_them(
    number: str,
) -> None:
    assert find(number) is None
    assert find(number, ISSUERS) is not None


@pytest.mark.parametrize("length", range(1, 35))
def test_nothing_but_zeros_is_no_number(length: int) -> None:
    assert find("0" * length, ISSUERS) is None


@pytest.mark.parametrize(
    "number",
    [
        "1Z5R89390357567127",
        "9400111206206406260787",
        "477179081230",
        "RB123456785GB",
        "3318810025",
        "0998000002003" + "3F",
    ],
)
def test_no_single_wrong_digit_passes_as_the_same_carrier_s(number: str) -> None:
    right = find(number)
    assert right is not None
    last = len(number) - (3 if right.format.issuer == "UPU" else 1)
    for wrong in "0123456789":
        changed = number[:last] + wrong + number[last + 1 :]
        if changed != number:
            found = find(changed)
            assert found is None or found.format != right.format


def test_text_that_is_not_ascii_or_too_long_is_no_number() -> None:
    assert find("RB１２３456785GB") is None  # noqa: RUF001 - the full-width digits are meant
    assert find("9" * 35) is None


@pytest.mark.parametrize("number", ["RB100000025GB", "RB100000140GB"])
def test_s10_writes_10_as_0_and_11_as_5(number: str) -> None:
    assert find(number) is not None


def test_dpd_s_barcode_has_a_percent_sign_instead_of_a_check_character() -> None:
    found = find("%008182709980000020033350276")
    assert found is not None
    assert found.format.issuer == "DPD"
    assert find("008182709980000020033350276") is None


def test_every_row_says_where_it_comes_from() -> None:
    assert all(row.source and row.name for row in FORMATS)
    assert all(row.check or row.asked or "[0-9]" in row.form for row in FORMATS)
