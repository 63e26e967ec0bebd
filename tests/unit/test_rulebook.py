"""The documents say what the code does."""

from pathlib import Path

from server.rulebook import actions_table, exceptions_table, written_into

DOCUMENT = Path(__file__).parents[2] / "docs" / "resolution.md"


def test_the_tables_of_the_document_are_those_of_the_code() -> None:
    document = DOCUMENT.read_text()
    assert written_into(document) == document, "run `make docs`"
    assert actions_table() in document
    assert exceptions_table() in document
