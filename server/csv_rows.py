"""CSV that a spreadsheet takes as text, whatever a label said. Pure.

A cell that begins like a formula gets an apostrophe before it, as OWASP advises
(CSV injection): a spreadsheet shows the text and computes nothing.
"""

import csv
import io
from collections.abc import Iterable

__all__ = ["csv_rows", "safe"]

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 # so that a spreadsheet of wide characters computes nothing, too


def safe(cell: str) -> str:
    """Return the cell as text that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def csv_rows(rows: Iterable[Iterable[str | None]]) -> bytes:
    """Write rows as CSV: RFC 4180, UTF-8."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerows([safe(cell or "") for cell in row] for row in rows)
    return text.getvalue().encode()
