"""A screen's server without a station behind it: shows what a test hands to it."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from edge.kiosk import Kiosk
from edge.kiosk.assets import page
from edge.screen import Screen
from edge.texts import read_texts

PATIENCE = 10.0


class Stage:
    """The server of one screen, in a thread of its own."""

    def __init__(self, language: str = "en", port: int = 0) -> None:
        self.url = ""
        self.touched: list[tuple[str, int]] = []
        self.obeys = True
        self._up = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._kiosk = Kiosk(
            page(language, read_texts(language)),
            port=port,
            touch=self._touch,
            ready=self._ready,
            trouble=print,
        )
        self._thread = threading.Thread(target=self._serve)
        self._task: asyncio.Task[None] | None = None

    def show(self, screen: Screen) -> None:
        self._loop.call_soon_threadsafe(self._kiosk.show, screen)

    def start(self) -> None:
        self._thread.start()
        assert self._up.wait(PATIENCE)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._cancel)
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()

    def _cancel(self) -> None:
        if self._task:
            self._task.cancel()

    def _serve(self) -> None:
        async def run() -> None:
            self._task = asyncio.ensure_future(self._kiosk.run())
            await asyncio.wait([self._task])

        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(run())

    def _ready(self, url: str) -> None:
        self.url = url
        self._up.set()

    async def _touch(self, code: str, number: int) -> bool:
        self.touched.append((code, number))
        return self.obeys


@contextmanager
def staged(language: str = "en", port: int = 0) -> Iterator[Stage]:
    """Serve a screen for as long as the block lasts."""
    stage = Stage(language, port)
    stage.start()
    try:
        yield stage
    finally:
        stage.stop()
