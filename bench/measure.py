"""Figures, and how they are shown."""

from collections.abc import Sequence
from statistics import quantiles
from typing import NamedTuple

__all__ = ["Row", "percentile", "table"]


class Row(NamedTuple):
    """One figure beside its limit, and their ratio: product to limit."""

    what: str
    value: float
    limit: float | None
    unit: str
    beside: str = ""

    @property
    def ratio(self) -> float | None:
        """The value as a multiple of the limit."""
        return self.value / self.limit if self.limit else None


def percentile(values: Sequence[float], percent: int) -> float:
    """Return a percentile of at least two values."""
    return quantiles(values, n=100, method="inclusive")[percent - 1]


def table(rows: Sequence[Row], changes: Sequence[str] = ()) -> str:
    """Write the rows as a table; ``changes`` says of each how it was before."""
    lines = [("what", "measured", "limit", "unit", "ratio", "to the last", "beside")]
    for row, change in zip(rows, changes or [""] * len(rows), strict=True):
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        limit = "" if row.limit is None else f"{row.limit:,.2f}"
        value = f"{row.value:,.2f}"
        lines.append((row.what, value, limit, row.unit, ratio, change, row.beside))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if 0 < index < len(widths) - 2 else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )
