"""A day on a floor with many places, some on the site's plan: for the floor map and
the figures."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.browser.warehouse import HOUR, MINUTE, Warehouse

AISLES, BAYS, LEVELS = "AB", 6, 3
SKIPPED = 3
"""The parcel of each hour that nobody takes over."""
LAST, COUNTED = 4, 5


@contextmanager
def busy_floor(folder: Path) -> Iterator[Warehouse]:
    """Serve a furnished floor after ten hours of work while the block lasts."""
    house = Warehouse(folder)
    house.start()
    try:
        house.do(_ten_hours(house))
        yield house
    finally:
        house.stop()


async def _ten_hours(house: Warehouse) -> None:
    """Name the places, and let parcels go from the dock to the packing table."""
    await house.at(10 * HOUR)
    await house.joins("GATE")
    await house.joins("SHOP", "host")
    await house.tells("SHOP", *_places())
    for hour in range(10):
        await house.at((10 - hour) * HOUR - 5 * MINUTE)
        await house.tells("GATE", *_hour(hour))
    await house.at(0)
    await house.tells("GATE")


def _places() -> list[dict[str, object]]:
    found: list[dict[str, object]] = [
        {
            "action": "note",
            "location": f"{aisle}-{bay:02}-{level}",
            "title": f"Rack {aisle}",
            "kind": "shelf",
        }
        for aisle in AISLES
        for bay in range(1, BAYS + 1)
        for level in range(1, LEVELS + 1)
    ]
    docks = [("DOCK-1", 2.0), ("DOCK-2", 14.0), ("PACK-1", 26.0)]
    found += [
        {
            "action": "note",
            "location": name,
            "title": name.title(),
            "x": x,
            "y": 3.0,
            "w": 10.0,
            "h": 5.0,
        }
        for name, x in docks
    ]
    return found


def _hour(hour: int) -> list[dict[str, object]]:
    """Eight parcels come; those of each hour before go a step further."""
    told = [line for age in range(5) for line in _steps(age, hour - age)]
    if hour == COUNTED:
        told.append(_scan("count", None, "A-01-1", 0, items=[]))
    return sorted(told, key=lambda one: -int(str(one["ago"])))


def _steps(age: int, come: int) -> list[dict[str, object]]:
    """What happens in their so many-th hour to the parcels that came in an hour."""
    if come < 0:
        return []
    if age == LAST:
        return [_scan("depart", f"C-{n}-{come:02}", "DOCK-1", n) for n in range(2)]
    told = []
    for number in range(8):
        item, shelf = f"P-{come:02}{number:02}", _shelf(number)
        if age == 0:
            told.append(_scan("receive", item, "DOCK-2", number))
        elif age == 1:
            told.append(_scan("store", item, shelf, number))
        elif age == 2:
            told.append(_scan("pick", item, shelf, number, by="B-ANA"))
            if number != SKIPPED:
                told.append(_scan("accept", item, "PACK-1", number - 40, by="B-BEN"))
        else:
            carton = f"C-{number // 4}-{come:02}"
            told.append(_scan("pack", item, "PACK-1", number, container=carton))
    return told


def _shelf(number: int) -> str:
    return f"{AISLES[number % 2]}-{number % BAYS + 1:02}-{number % 3 + 1}"


def _scan(
    action: str,
    item: str | None,
    location: str,
    late: int,
    *,
    by: str = "B-ANA",
    **more: object,
) -> dict[str, object]:
    """A scan, some ten seconds times ``late`` before the hour's last."""
    ago = 10 * MINUTE + late * MINUTE // 6
    fields = {"action": action, "item": item, "location": location, "operator": by}
    told = {name: value for name, value in fields.items() if value is not None}
    return {**told, "ago": ago, **more}
