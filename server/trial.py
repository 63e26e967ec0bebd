"""What another table of actions would change, before it is applied. Pure.

Both tables are asked the same questions of the same events; lines that only the new one
understands count for it, and lines that only the old one understood do not.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence

import msgspec

from server.answers import Horizon, answer
from server.events import Event
from server.history import Reader, Role, mentions, tell
from server.site import Site
from shared.api.items import ItemAnswer

__all__ = ["Difference", "Together", "differences"]

_FIELDS = ("known", "status", "status_since", "location", "custodian", "container")


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """An item whose answer would be another: by field, what it is and would be."""

    item: str
    fields: dict[str, tuple[str, str]]


class Together:
    """Reads events from elsewhere and a few more, as a `server.history.Reader`."""

    def __init__(self, reader: Reader, more: Sequence[Event], site: Site) -> None:
        self._reader = reader
        self._more = [(set(mentions(e.line, site.actions)), e) for e in more]

    def about(self, keys: Collection[str], roles: Collection[Role]) -> list[Event]:
        """Return the events that speak of any of the keys in any of the roles."""
        wanted = {(key, role) for key in keys for role in roles}
        more = [event for named, event in self._more if named & wanted]
        return [*self._reader.about(keys, roles), *more]


def differences(
    items: Iterable[str], old: tuple[Reader, Site], new: tuple[Reader, Site], at: int
) -> Iterator[Difference]:
    """Return the items whose answers as of ``at`` would be others, in their order."""
    for item in items:
        before, after = (_told(item, *side, at) for side in (old, new))
        fields = {
            name: (before[name], after[name])
            for name in before
            if before[name] != after[name]
        }
        if fields:
            yield Difference(item=item, fields=fields)


def _told(item: str, reader: Reader, site: Site, at: int) -> dict[str, str]:
    telling = tell(reader, item, site.actions)
    found = answer(telling, item, at=at, known_at=at, horizon=Horizon(), site=site)
    return {**{name: _plain(found, name) for name in _FIELDS}, **_open(found)}


def _plain(found: ItemAnswer, name: str) -> str:
    value = getattr(found, name)
    return "" if value is None else str(value)


def _open(found: ItemAnswer) -> dict[str, str]:
    return {"exceptions": ", ".join(sorted(one.code for one in found.exceptions))}
