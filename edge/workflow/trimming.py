"""Bounds for what is remembered."""

from itertools import islice
from typing import Any

__all__ = ["trim"]


def trim(kept: dict[str, Any], most: int) -> None:
    """Forget the oldest of what is kept, down to a number."""
    for name in list(islice(kept, max(0, len(kept) - most))):
        del kept[name]
