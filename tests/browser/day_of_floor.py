"""A day on a floor with many places, some on the site's plan: for the floor map and
the figures."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.browser.warehouse import HOUR, MINUTE, Warehouse

AISLES, BAYS, LEVELS = "AB", 6, 3


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
    """Eight parcels come; those of the hours before go a step further each."""
    told: list[dict[str, object]] = []
    for number in range(8):
        shelf = f"{AISLES[number % 2]}-{number % BAYS + 1:02}-{number % 3 + 1}"
        steps: tuple[tuple[str, str, dict[str, str]], ...] = (
            ("receive", "DOCK-2", {}),
            ("store", shelf, {}),
            ("pick", shelf, {}),
            ("accept", "PACK-1", {}),
            ("pack", "PACK-1", {"container": f"C-{number // 4}"}),
        )
        for age, (action, location, more) in enumerate(steps):
            come = hour - age
            skipped = action == "accept" and number == 3
            if come >= 0 and not skipped:
                told.append(
                    {
                        "action": action,
                        "item": f"P-{come:02}{number:02}",
                        "location": location,
                        "operator": "B-BEN" if action == "accept" else "B-ANA",
                        "ago": (4 - age) * MINUTE + (7 - number) * MINUTE // 2,
                        **{k: f"{v}-{come:02}" for k, v in more.items()},
                    }
                )
    return sorted(told, key=lambda one: -one["ago"])  # type: ignore[operator]
