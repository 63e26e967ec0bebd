"""What is wrong by the same cause."""

import pytest

from server.console.causes import kin, named_case, written
from shared.api.exceptions import FoundException


def case(item: str, code: str, event: str) -> FoundException:
    return FoundException(item=item, code=code, since="2026", event=event, text="")


LEFT = case("P-1", "missing_from_manifest", "log:9")
OPEN = [
    LEFT,
    case("P-2", "missing_from_manifest", "log:9"),
    case("P-3", "missing_from_manifest", "log:8"),
    case("P-4", "claim_contradicted", "log:9"),
    case("P-1", "claim_contradicted", "log:5"),
]


def test_of_one_cause_is_what_is_wrong_with_an_item_and_what_an_event_made_alike() -> (
    None
):
    assert [(one.item, one.code) for one in kin(LEFT, OPEN)] == [
        ("P-1", "claim_contradicted"),
        ("P-2", "missing_from_manifest"),
    ]


def test_a_case_is_read_as_it_was_written_whatever_the_item_is_called() -> None:
    odd = case("P 1 <b>", "stale", "log:1")
    assert named_case(written(odd)) == ("stale", "P 1 <b>")


@pytest.mark.parametrize("text", ["", "stale", "stale ", " P-1"])
def test_what_names_no_case_means_none(text: str) -> None:
    assert named_case(text) is None
