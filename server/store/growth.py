"""How far a database's lines go, and waiting until they go further."""

import asyncio

__all__ = ["Growth"]


class Growth:
    """The ``position`` of the line that came last; 0 where there is none."""

    def __init__(self) -> None:
        self.position = 0
        self._grown = asyncio.Condition()

    async def to(self, position: int) -> None:
        """Note that there are lines up to a position, and tell who waits for them."""
        self.position = position
        async with self._grown:
            self._grown.notify_all()

    async def beyond(self, after: int) -> None:
        """Return once there are lines behind a position."""
        async with self._grown:
            await self._grown.wait_for(lambda: self.position > after)
