"""Places, badges and stations by their names, typed with their prefix or without."""

from urllib.parse import quote

import msgspec

from server.store import ItemQuery, Said, Store, is_own
from shared.hosts import Topic

__all__ = ["Named", "named", "pages"]

MOST = 100
"""Of each kind that have a text in their name, at most."""
_BADGE = "B-"


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """What has a text in its code or its name; who is called exactly so comes first."""

    people: list[str]
    stations: list[str]
    places: list[str]

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.people or self.stations or self.places)


async def named(store: Store, text: str) -> Named:
    """Return places, badges and stations that have a text in their code or name."""
    return Named(
        people=_fitting(await store.said(Topic.OPERATOR, None), text),
        stations=[one for one in await _stations(store) if _has(one, text)][:MOST],
        places=_fitting(await store.said(Topic.LOCATION, None), text),
    )


async def pages(store: Store, text: str) -> list[str]:
    """Return the addresses of places, badges and stations of exactly this name."""
    codes = dict.fromkeys((text, text.upper()))
    places = [code for code in codes if await _is_place(store, code)]
    badges = [c for code in codes if await _is_badge(store, c := f"{_BADGE}{code}")]
    stations = [
        one for one in await _stations(store) if one.casefold() == text.casefold()
    ]
    found = (("places", places), ("people", badges), ("stations", stations))
    return [
        f"/{where}/{quote(name, safe='')}" for where, names in found for name in names
    ]


async def _is_place(store: Store, code: str) -> bool:
    """Whether a place was told of, or anything was ever scanned there."""
    return bool(
        await store.said(Topic.LOCATION, [code]) or await store.visitors(code, 1)
    )


async def _is_badge(store: Store, code: str) -> bool:
    """Whether a person was told of, or holds anything."""
    if await store.said(Topic.OPERATOR, [code]):
        return True
    return bool((await store.items(ItemQuery(custodian=code, limit=1))).answers)


async def _stations(store: Store) -> list[str]:
    found = [one.name for one in await store.stations()]
    return sorted(one for one in found if not is_own(one))


def _has(name: str, text: str) -> bool:
    return text.casefold() in name.casefold()


def _fitting(said: list[Said], text: str) -> list[str]:
    found = [
        one
        for one in said
        if not one.line.ended
        if _has(one.key, text) or _has(one.line.title or "", text)
    ]
    exact = {text.casefold(), f"{_BADGE}{text}".casefold()}
    found.sort(
        key=lambda one: exact.isdisjoint(
            {one.key.casefold(), (one.line.title or "").casefold()}
        )
    )
    return [one.key for one in found[:MOST]]
