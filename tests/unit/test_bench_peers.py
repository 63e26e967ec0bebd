"""What the bench gives to all whom it compares: the same rows, and the same words."""

from pathlib import Path

from bench.peers.abilities import ABILITIES, HEADS, markdown
from bench.peers.given import given


def test_each_stations_rows_are_numbered_without_a_gap() -> None:
    rows = given(3, 2)
    for number, batches in enumerate(rows.stations):
        seqs = [seq for batch in batches for seq, _, _ in batch.numbered()]
        assert seqs == list(range(1, 2_001))
        assert {batch.station for batch in batches} == {number}
    assert rows.rows == 6_000


def test_stations_take_turns() -> None:
    turns = [(batch.station, batch.after) for batch in given(2, 2).turns()]
    assert turns == [(0, 0), (1, 0), (0, 1_000), (1, 1_000)]


def test_what_is_sent_again_was_sent_before() -> None:
    rows = given(2, 2)
    assert list(rows.again.turns()) == [rows.stations[0][0]]


def test_every_ability_is_told_of_each() -> None:
    assert all(len(one) == len(HEADS) and all(one) for one in ABILITIES)
    assert len(markdown().splitlines()) == len(ABILITIES) + 2


def test_the_document_says_the_same() -> None:
    document = Path(__file__).parents[2] / "docs" / "performance.md"
    assert markdown() in document.read_text("utf-8")
