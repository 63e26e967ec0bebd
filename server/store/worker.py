"""A SQLite connection on a thread of its own, that runs whole functions there."""

import sqlite3
from collections.abc import Awaitable, Callable
from typing import TypeVar

import aiosqlite

__all__ = ["Worker"]

T = TypeVar("T")


class Worker(aiosqlite.Connection):
    """Runs functions on its thread, one after the other.

    A transaction is one such function, from BEGIN to COMMIT, so that no cancelled
    task can leave it open.
    """

    async def run(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """Run a function of the connection on the thread, and return what it does."""
        execute: Callable[..., Awaitable[T]] = self._execute
        return await execute(lambda: function(self._conn))
