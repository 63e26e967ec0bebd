"""Stores without a server, what a station brings them, and a kill while one moves."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from server.delivery import Delivery
from server.store import Store
from server.store.postgres.store import PostgresStore
from server.store.sqlite import SqliteStore
from shared import chain
from tests.contracts.storing import NOW

__all__ = ["Stop", "on_file", "on_postgres", "say_nothing", "signed"]


class Stop(Exception):  # noqa: N818 # it stands for a kill
    """A process that ends here."""


def say_nothing(_: str) -> None:
    """Be told how far a move is."""


@asynccontextmanager
async def on_file(path: Path) -> AsyncIterator[Store]:
    """Open a store on a file, and close it."""
    store = await SqliteStore.open(path, lambda: NOW)
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def on_postgres(url: str) -> AsyncIterator[Store]:
    """Open a store on PostgreSQL, and close it."""
    store = await PostgresStore.open(url, lambda: NOW, clock=lambda: NOW)
    try:
        yield store
    finally:
        await store.close()


def signed(
    log: str, key: Ed25519PrivateKey, lines: list[bytes], after: int
) -> Delivery:
    """Return a signed delivery of what is behind ``after`` of all lines of a log."""
    heads = chain.walk(chain.start(log), lines)
    return Delivery(
        log=log,
        after=after,
        lines=lines[after:],
        heads=heads[after:],
        signature=key.sign(chain.signed_message(log, len(lines), heads[-1])),
        clock=None,
    )
