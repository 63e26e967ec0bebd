"""Damaged outboxes: files as they are after a kill, and then flipped, cut, swapped."""

import asyncio
import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from edge.care import take_in
from edge.outbox import Outbox
from tests.edge_server import Model
from tests.faults.checker import Found, check, draft, sent

NAME = "outbox.db"
FILES = (NAME, f"{NAME}-wal", f"{NAME}-shm")
START = 5.0  # seconds in which a station has to capture, whatever it found
_HEADER = 100


class Image(NamedTuple):
    """An outbox as a kill leaves it, the codes in it, and what the server has."""

    folder: Path
    codes: tuple[str, ...]
    acked: int
    log: str


async def image(folder: Path, lines: int, acked: int, written_back: int) -> Image:
    """Make an outbox whose first ``written_back`` lines are not in its -wal."""
    live = folder / "live"
    box = await Outbox.open(live / NAME)
    codes = tuple(f"P-{number}" for number in range(lines))
    for number, code in enumerate(codes, 1):
        await box.append([draft(code + "." * (number % 200))])
        if number == written_back:
            await box.file.execute(
                lambda db: db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            )
    await box.acknowledged(acked, 0)
    kept = folder / "kept"
    shutil.copytree(live, kept)
    batch = await box.batch(0, max_lines=lines, max_bytes=1 << 24)
    (folder / "lines").write_bytes(batch.body)
    codes = tuple(code + "." * (n % 200) for n, code in enumerate(codes, 1))
    found = Image(kept, codes, acked, box.log)
    await box.close()
    return found


def server_of(image_: Image) -> Model:
    """Make a server that has what was acknowledged."""
    lines = (image_.folder.parent / "lines").read_bytes().split(b"\n")
    return Model(logs={image_.log: lines[: image_.acked]})


Mutation = Callable[[Path, random.Random], str]


def _target(folder: Path, luck: random.Random) -> Path:
    return folder / luck.choice([name for name in FILES if (folder / name).exists()])


def flip(folder: Path, luck: random.Random) -> str:
    path = _target(folder, luck)
    data = bytearray(path.read_bytes())
    most = luck.choice([_HEADER, len(data)])
    for _ in range(luck.choice([1, 1, 3, 50])):
        data[luck.randrange(min(most, len(data)))] ^= 1 << luck.randrange(8)
    path.write_bytes(data)
    return f"flip {path.name}"


def cut(folder: Path, luck: random.Random) -> str:
    path = _target(folder, luck)
    size = path.stat().st_size
    to = luck.choice([0, luck.randrange(size + 1), size // 4096 * 4096 // 2])
    with path.open("r+b") as file:
        file.truncate(to)
    return f"cut {path.name} to {to}"


def zero(folder: Path, luck: random.Random) -> str:
    path = _target(folder, luck)
    size = path.stat().st_size
    begin = luck.randrange(size + 1)
    with path.open("r+b") as file:
        file.seek(begin)
        file.write(bytes(min(luck.choice([512, 4096, 65536]), size - begin)))
    return f"zero {path.name} at {begin}"


def noise(folder: Path, luck: random.Random) -> str:
    path = _target(folder, luck)
    size = path.stat().st_size
    begin = luck.randrange(size + 1) // 512 * 512
    with path.open("r+b") as file:
        file.seek(begin)
        file.write(luck.randbytes(min(luck.choice([512, 4096]), size - begin)))
    return f"noise in {path.name} at {begin}"


def delete(folder: Path, luck: random.Random) -> str:
    path = _target(folder, luck)
    path.unlink()
    return f"delete {path.name}"


def swap(folder: Path, luck: random.Random) -> str:
    """Put another station's file in the place of one of ours."""
    path = _target(folder, luck)
    shutil.copyfile(folder.parent / "foreign" / path.name, path)
    return f"swap {path.name}"


MUTATIONS: tuple[Mutation, ...] = (flip, flip, cut, zero, noise, delete, swap)


class Outcome(NamedTuple):
    """What became of a station that found damaged files."""

    done: str
    seconds: float
    found: Found
    told: bool


async def outcome(
    image_: Image, work: Path, mutation: Mutation, luck: random.Random
) -> Outcome:
    """Damage a copy, start on it, scan, and send everything."""
    shutil.rmtree(work / "station", ignore_errors=True)
    shutil.copytree(image_.folder, work / "station")
    done = mutation(work / "station", luck)
    began = time.monotonic()
    box = await Outbox.open(work / "station" / NAME)
    try:
        await box.append([draft("P-NEW")])
        seconds = time.monotonic() - began
        model = server_of(image_)
        said: list[str] = []
        await take_in(box, said.append)
        sync = await sent(box, model)
        await take_in(box, said.append)  # of what was set aside meanwhile
        sync = await sent(box, model)
        await box.append([draft("P-LAST")])
        sync = await sent(box, model)
    finally:
        await box.close()
    found = check([*image_.codes, "P-NEW", "P-LAST"], model.logs)
    told = bool(box.file.notices or said or sync.status.alarm)
    return Outcome(done, seconds, found, told)


async def foreign(folder: Path) -> None:
    """Make another station's outbox, as a kill leaves it."""
    box = await Outbox.open(folder / "there" / NAME)
    for number in range(30):
        await box.append([draft(f"FOREIGN-{number}")])
    shutil.copytree(folder / "there", folder / "foreign")
    await box.close()


async def campaign(folder: Path, count: int, seed: int) -> list[Outcome]:
    """Damage ``count`` outboxes; a seed repeats it exactly."""
    luck = random.Random(seed)  # noqa: S311 - has to be repeated, not secret
    images = [
        await image(folder / f"image-{n}", lines, acked, back)
        for n, (lines, acked, back) in enumerate(
            [(60, 20, 0), (60, 20, 40), (60, 60, 60), (200, 0, 150), (1, 0, 0)]
        )
    ]
    await foreign(folder)
    outcomes = []
    for _ in range(count):
        chosen, mutation = luck.choice(images), luck.choice(MUTATIONS)
        outcomes.append(await outcome(chosen, folder, mutation, luck))
        await asyncio.sleep(0)
    return outcomes
