"""What a table of a host system changed, or would change."""

import msgspec

__all__ = ["Contradiction", "ImportChange", "ImportReport", "RowError"]


class RowError(msgspec.Struct, kw_only=True, frozen=True):
    """What is wrong with a row of a table; the head of a CSV file is row 1."""

    row: int
    text: str


class ImportChange(msgspec.Struct, kw_only=True, frozen=True):
    """What a row changes: what was said of its key before, if anything, and now."""

    row: int
    key: str
    before: dict[str, str] | None
    after: dict[str, str]


class Contradiction(msgspec.Struct, kw_only=True, frozen=True):
    """A row that claims another status than the scans show.

    ``as_of`` is when the other system last changed it, as it writes that; ``since`` is
    when the scans first showed what they show, and ``event`` the latest that does.
    """

    row: int
    item: str
    claimed: str
    as_of: str | None
    scanned: str
    since: str
    event: str
    location: str | None


class ImportReport(msgspec.Struct, kw_only=True):
    """``POST /v1/import/{kind}``: what a table changed, or would change.

    Of ``changes``, ``errors``, ``contradictions`` and ``warnings`` the first are
    listed; ``new`` and ``changed``, ``wrong``, ``contradicted`` and ``warned`` count
    all. A warning is of a row with a key that no label reads as.
    """

    kind: str
    dry_run: bool
    rows: int
    new: int
    changed: int
    same: int
    wrong: int
    contradicted: int
    changes: list[ImportChange]
    errors: list[RowError]
    contradictions: list[Contradiction]
    warned: int = 0
    warnings: list[RowError] = []
