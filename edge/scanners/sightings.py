"""The same code in view again and again is one read. Pure."""

from collections import OrderedDict

import msgspec

__all__ = ["Sighting", "Sightings"]


class Sighting(msgspec.Struct):
    """One code in view: microseconds of its first and last time, and how often."""

    first: int
    last: int
    count: int = 1


class Sightings:
    """What a fixed-mount reader has in view.

    Args:
        window: Microseconds after it was last seen in which a code is the same
            sighting; 0 makes each one new.
        limit: Codes that are remembered at one time.
    """

    def __init__(self, window: int, limit: int = 1024) -> None:
        self._window = window
        self._limit = limit
        self._seen: OrderedDict[tuple[str, bytes], Sighting] = OrderedDict()

    def is_new(self, device: str, raw: bytes, at: int) -> bool:
        """Note that ``device`` saw ``raw`` at ``at``; say whether it is a new read."""
        self._forget(at)
        known = self._seen.get((device, raw))
        if known is None or not self._window:
            self._seen[device, raw] = Sighting(at, at)
            return True
        known.last = at
        known.count += 1
        self._seen.move_to_end((device, raw))
        return False

    def of(self, device: str, raw: bytes) -> Sighting | None:
        """Return the sighting of a code that is in view, or was just now."""
        return self._seen.get((device, raw))

    def _forget(self, at: int) -> None:
        while self._seen:
            oldest = next(iter(self._seen.values()))
            if at - oldest.last <= self._window and len(self._seen) < self._limit:
                return
            self._seen.popitem(last=False)
