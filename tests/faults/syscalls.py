"""Faults at system calls of a station or a server: killed, failing, or lied to.

For each scene and call, and for its first, second, … time, the scene is played in a
process of its own until the fault has happened; then it is started again without it,
and everything that was confirmed in both runs has to be there once, unchanged, and in
order.
"""

import asyncio
import json
import random
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.faults import calls
from tests.faults.calls import CALLS, KINDS, Fault
from tests.faults.checker import Found
from tests.faults.scenes import SCENES, Scene, telling

__all__ = ["Outcome", "Stage", "points"]

_SENSELESS = {("lie", call) for call in ("openat", "write", "unlink", "rename")}
"""No disk does that: only what is in files may not be what they were told."""


class Outcome(NamedTuple):
    """What a fault led to; ``fired`` says whether it happened at all."""

    scene: str
    fault: Fault
    fired: bool
    ended: int
    confirmed: int
    found: Found


class Stage:
    """Plays one scene again and again, from the same beginning."""

    def __init__(self, folder: Path, name: str) -> None:
        self._name, self._scene = name, SCENES[name]
        self._folder = folder / "played"
        self._kept = folder / name.replace(" ", "-")
        self._kept.mkdir()
        asyncio.run(self._scene.prepare(self._kept))

    def play(self, fault: Fault) -> Outcome:
        """Let a fault happen, start again, and see what there is."""
        told = self._folder.with_name("told")
        told.unlink(missing_ok=True)
        shutil.rmtree(self._folder, ignore_errors=True)
        shutil.copytree(self._kept, self._folder)
        end = calls.run(lambda: self._act(told), self._folder, fault)
        confirmed = told.read_text().split() if told.exists() else []
        try:
            found = asyncio.run(self._scene.judge(self._folder, confirmed))
        except Exception as error:  # noqa: BLE001 # whatever it is, it is an outcome
            found = Found([repr(error)], [], [], [])
        return Outcome(self._name, fault, end.fired, end.status, len(confirmed), found)

    def _act(self, told: Path) -> None:
        scene: Scene = self._scene
        asyncio.run(scene.act(self._folder, telling(told)))


def faults(kind: str, call: str) -> Iterator[Fault]:
    """Yield the faults of a kind at one call, one time after another, without end."""
    when = 0
    while True:
        when += 1
        yield Fault(kind, call, when)
        if kind not in {"kill", "lie"}:
            yield Fault(kind, call, when, 3)


def points(scenes: list[str], folder: Path, seed: int) -> Iterator[Outcome]:
    """Play all scenes under the next fault of each kind and call in turn.

    Args:
        scenes: Their names.
        folder: Where they are played.
        seed: Gives the order of kinds and calls within each turn.
    """
    stages = {name: Stage(folder, name) for name in scenes}
    keys = [
        (name, kind, call)
        for name in scenes
        for kind in KINDS
        for call in CALLS
        if (kind, call) not in _SENSELESS
    ]
    random.Random(seed).shuffle(keys)  # noqa: S311 # has to be repeated, not secret
    going = {key: faults(*key[1:]) for key in keys}
    while going:
        for key, coming in list(going.items()):
            one = stages[key[0]].play(next(coming))
            if not one.fired:
                del going[key]
            yield one


def main() -> None:
    """Try faults, each a row SCENE:KIND:CALL:WHEN:OFTEN of the standard input.

    A row of the standard output says whether it fired, how much was confirmed, and what
    was wrong.
    """
    stages: dict[str, Stage] = {}
    with tempfile.TemporaryDirectory() as folder:
        for row in sys.stdin:
            scene, kind, call, when, often = row.strip().split(":")
            stage = stages.get(scene) or Stage(Path(folder), scene)
            stages[scene] = stage
            one = stage.play(Fault(kind, call, int(when), int(often)))
            sys.stdout.write(json.dumps([one.fired, one.confirmed, one.found]) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
