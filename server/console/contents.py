"""What is in a container, and what was in it at a past moment."""

from server.api.context import Context
from server.store import ItemQuery, View

__all__ = ["MOST", "contents"]

MOST = 100
"""Items of a container on one page."""


async def contents(
    context: Context, container: str, past: View | None
) -> tuple[list[str], bool]:
    """Return what is directly in a container, and whether there is more of it.

    Args:
        context: The server's.
        container: Its key.
        past: The view, where it is of a past moment.
    """
    store = context.store
    if past is None:
        found = await store.items(ItemQuery(container=container, limit=MOST))
        return [one.item for one in found.answers], found.after is not None
    telling = await store.tell(container, past)
    named = sorted(telling.world.contents(container))
    some = named[: MOST + 1]
    # what was seen elsewhere, or picked, left without a word of the container
    each = await store.tell_together(some, past)
    inside = [k for k, one in each.items() if container in one.world.path(k)[:1]]
    return inside[:MOST], len(named) > MOST
