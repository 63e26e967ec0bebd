"""What each of them does, and does not do, with what it takes. Pure.

``yes`` is by itself, ``written`` has to be written by whoever uses it.
"""

from typing import NamedTuple

__all__ = ["ABILITIES", "HEADS", "Ability", "markdown"]


class Ability(NamedTuple):
    """One of them; each column as in `HEADS`."""

    name: str
    flushed: str
    once: str
    order: str
    forks: str
    tampering: str
    places: str
    travel: str


HEADS = (
    "",
    "flushed before it says yes",
    "the same again changes nothing",
    "order and gaps of a log",
    "forks found",
    "changes found later",
    "where things are",
    "as of then, as known then",
)

ABILITIES = (
    Ability(
        "Scantrail",
        "yes",
        "yes, for ever",
        "yes",
        "yes",
        "yes: chain, signature, seal",
        "yes",
        "yes",
    ),
    Ability(
        "bare SQLite, PostgreSQL",
        "yes",
        "yes, by its key",
        "written",
        "no: the second is passed over",
        "no",
        "written",
        "written",
    ),
    Ability(
        "NATS JetStream",
        "no: every minute or two; since 2.10 if told to",
        "for two minutes, or as long as told",
        "order; gaps if told",
        "no: the second is passed over",
        "no",
        "written",
        "no",
    ),
    Ability(
        "Redis streams",
        "if told to",
        "yes, by the entry's id",
        "order; gaps written",
        "no: the second is refused",
        "no",
        "written",
        "no",
    ),
    Ability(
        "CouchDB-style (PouchDB)",
        "no",
        "yes, by the document's id",
        "written",
        "no: the second is refused as a conflict",
        "no: a revision can be purged",
        "written",
        "no",
    ),
    Ability(
        "eventsourcing",
        "yes",
        "refused, by the event's number",
        "order; gaps written",
        "no: the second is refused",
        "no",
        "written",
        "an aggregate's versions",
    ),
)


def markdown() -> str:
    """Write them as a table of Markdown."""
    rows = [HEADS, ("---",) * len(HEADS), *ABILITIES]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
