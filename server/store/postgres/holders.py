"""The stations that hold tokens, as this process remembers them."""

from collections.abc import Awaitable, Callable

from server.store import Station

__all__ = ["Holders"]

MOST = 20_000
"""Tokens that are remembered, at most."""


class Holders:
    """Finds the station of a token, and looks only where anything may have changed.

    Args:
        read: Reads it.
        changes: Returns a number that grows whenever a station or one of its tokens may
            have changed, ``None`` where that cannot be known.
    """

    def __init__(
        self,
        read: Callable[[bytes], Awaitable[Station | None]],
        changes: Callable[[], int | None],
    ) -> None:
        self._read, self._changes = read, changes
        self._known: dict[bytes, Station] = {}
        self._since: int | None = None

    async def find(self, token_hash: bytes) -> Station | None:
        """Return the station whose token this is, or was."""
        now = self._changes()
        if now is None:
            return await self._read(token_hash)
        if now != self._since or len(self._known) >= MOST:
            self._known, self._since = {}, now
        found = self._known.get(token_hash)
        if found is None:
            known, found = self._known, await self._read(token_hash)
            if found is not None:  # what anybody may make up is not remembered
                known[token_hash] = found
        return found
