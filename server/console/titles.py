"""What items are called, and what was noted of them: to show, and to find them by."""

from collections.abc import Iterable

from server.store import Store
from server.titles import words
from shared.api.items import ItemAnswer
from shared.hosts import Topic

__all__ = ["MOST", "by_remark", "by_title", "titles"]

MOST = 50
"""Items that are found by their title, or by remarks, at most."""


async def titles(store: Store, keys: Iterable[str | None]) -> dict[str, str]:
    """Return what those of the items are called that have a title."""
    wanted = {key for key in keys if key}
    said = await store.said(Topic.TITLE, wanted) if wanted else []
    return {one.key: one.line.title for one in said if one.line.title}


async def by_title(store: Store, text: str) -> tuple[list[ItemAnswer], bool]:
    """Return items with all words of a text in their title, and whether there are more.

    A word may be the beginning of one.
    """
    asked = words(text)
    found = await store.titled(asked, MOST + 1) if asked else []
    return [await store.item(key) for key in found[:MOST]], len(found) > MOST


async def by_remark(store: Store, text: str) -> tuple[list[ItemAnswer], dict[str, str]]:
    """Return items with all words of a text in a remark on them, and these remarks."""
    asked = words(text)
    said = await store.remarked(asked, MOST) if asked else []
    remarks = {one.key: one.line.text or "" for one in said}
    return [await store.item(key) for key in remarks], remarks
