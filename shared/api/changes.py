"""What changed an answer between two views of an item."""

from typing import Any

import msgspec

from shared.api.stations import Untold

__all__ = ["ItemChange", "ItemChanges", "Was"]


class Was(msgspec.Struct, kw_only=True):
    """A part of an answer before and after a step."""

    before: Any
    after: Any


class ItemChange(msgspec.Struct, kw_only=True):
    """A step that changed the answer.

    ``learned``: the event became known at ``moment``; else it happened then. ``event``
    is ``None`` where only time passed, and something fell due.
    """

    moment: str
    learned: bool
    event: str | None
    voids: str | None
    action: str | None
    location: str | None
    operator: str | None
    reason: str | None
    fields: dict[str, Was]


class ItemChanges(msgspec.Struct, kw_only=True):
    """``GET /v1/items/{item}/changes``: what changed our mind between two views."""

    item: str
    at: str
    known_at: str
    until_at: str
    until_known_at: str
    changes: list[ItemChange]
    complete_until: str | None = None
    behind: list[Untold] = []
