"""What was measured now beside what was measured before. Pure.

A figure that stands beside a limit of its own run is compared as their ratio, so that
a machine that is slower today slows both. A change counts where it is larger than what
the figure did from run to run.
"""

from collections.abc import Iterator, Sequence
from statistics import median, quantiles
from typing import NamedTuple

from bench.measure import Row

__all__ = ["Change", "change", "said"]

NOISE = 0.2
"""The part of a figure by which it may differ from run to run, at least."""
LATELY = 8
"""Earlier results whose spread says how much a figure differs by itself …"""
ENOUGH = 4
"""… where there are so many."""
_LESS_IS_BETTER = frozenset({"ms", "s", "MB", "µs"})
OTHERS = ("bare ", "peer ")
"""How the names of figures begin that are not of this project."""


class Change(NamedTuple):
    """A figure as a multiple of the last one; ``noise`` is the part that says nothing.

    ``better`` is below 1 where it got worse, whichever way the figure points.
    """

    factor: float
    better: float
    noise: float

    @property
    def worse(self) -> bool:
        """Whether it got worse by more than its noise."""
        return self.better < 1 / (1 + self.noise)

    @property
    def improved(self) -> bool:
        """Whether it got better by more than its noise."""
        return self.better > 1 + self.noise


def change(row: Row, earlier: Sequence[Sequence[Row]]) -> Change | None:
    """Compare a figure with the last that was measured of it; ``None``: there is none.

    Args:
        row: The figure.
        earlier: The results before, the oldest first.
    """
    figures = list(_figures(row, earlier))
    if not figures or not figures[-1]:
        return None
    factor = _figure(row) / figures[-1]
    less = row.unit in _LESS_IS_BETTER
    better = (1 / factor if factor else 1.0) if less else factor
    return Change(factor=factor, better=better, noise=_noise(figures[-LATELY:]))


def said(row: Row, earlier: Sequence[Sequence[Row]]) -> str:
    """Say how a figure changed, and of what is this project's whether it is worse."""
    found = change(row, earlier)
    if found is None:
        return ""
    mark = ""
    if not row.what.startswith(OTHERS):
        mark = " WORSE" if found.worse else " better" if found.improved else ""
    return f"x{found.factor:.2f}{mark}"


def _figures(row: Row, earlier: Sequence[Sequence[Row]]) -> Iterator[float]:
    for rows in earlier:
        for one in rows:
            same = (one.what, one.unit, one.beside) == (row.what, row.unit, row.beside)
            if same and (one.limit is None) == (row.limit is None):
                yield _figure(one)


def _figure(row: Row) -> float:
    return row.value if row.ratio is None else row.ratio


def _noise(figures: Sequence[float]) -> float:
    if len(figures) < ENOUGH or not median(figures):
        return NOISE
    low, _, high = quantiles(figures, n=4, method="inclusive")
    return max(NOISE, (high - low) / median(figures))
