"""What a run did, and how long each step took: shown, and kept as a file."""

import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["RunLog", "Step"]


class Step:
    """A step under way."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.shown: list[str] = []

    def note(self, text: str) -> None:
        """Add what is worth knowing of it."""
        self.notes.append(text)

    def show(self, text: str) -> None:
        """Add what a program printed, to stand below it as it is."""
        self.shown.append(text)


class RunLog:
    """A file that grows, a line a step; each line is shown, too."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)

    def begin(self) -> None:
        """Begin it anew."""
        self.path.write_text("")

    def say(self, text: str) -> None:
        """Write a line."""
        line = f"{time.strftime('%H:%M:%S')}  {text}"
        self._write(f"{line}\n")

    def _write(self, text: str) -> None:
        print(text, end="", flush=True)  # noqa: T201 - it is for whoever runs it
        with self.path.open("a") as file:
            file.write(text)

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Time a step, and write it once it is done, or has failed."""
        step, begun, ended = Step(), time.monotonic(), "FAILED"
        try:
            yield step
            ended = "; ".join(step.notes)
        finally:
            took = time.monotonic() - begun
            self.say(f"{took:6.1f} s  {name}{ended and ': '}{ended}")
            for text in step.shown:
                self._write(textwrap.indent(text.rstrip("\n"), "    | ") + "\n")
