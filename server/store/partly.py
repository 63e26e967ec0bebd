"""Whether lists that are read for a request are old in part.

A list waits for what came late until that is told, but not for ever. Where it is given
before, whoever asked has to be told so: the store notes it here, for the task that
reads and all that this one has begun.
"""

from contextvars import ContextVar

__all__ = ["Lists", "begin", "note", "old"]


class Lists:
    """The lists of one request. ``old``: one of them was given before its time."""

    old = False


_LISTS: ContextVar[Lists | None] = ContextVar("lists", default=None)


def begin() -> Lists:
    """Begin to note of this task's lists whether they are old in part."""
    lists = Lists()
    _LISTS.set(lists)
    return lists


def note() -> None:
    """Note that a list is given though something that came late is not told yet."""
    lists = _LISTS.get()
    if lists is not None:
        lists.old = True


def old() -> bool:
    """Return whether one of this task's lists is old in part."""
    lists = _LISTS.get()
    return lists is not None and lists.old
