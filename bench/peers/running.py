"""Another's server, for as long as it is measured."""

import asyncio
import shutil
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bench.peers.given import NotHereError

__all__ = ["found", "free_port", "running"]

PATIENCE = 60.0
_POLL = 0.05
_SYSTEM = "/usr/sbin:/usr/bin:/usr/local/bin:/usr/local/sbin"


def found(program: str, install: str) -> str:
    """Return where a program is.

    Raises:
        NotHereError: It is not installed; ``install`` says how it is.
    """
    path = shutil.which(program) or shutil.which(program, path=_SYSTEM)
    if path is None:
        reason = f"{program} is not installed: {install}"
        raise NotHereError(reason)
    return path


def free_port() -> int:
    """Return a port of this machine that nobody uses now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@asynccontextmanager
async def running(folder: Path, port: int, *command: str) -> AsyncIterator[None]:
    """Run a server in a folder, once it answers at its port, and end it."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await _answers(process, port)
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _answers(process: asyncio.subprocess.Process, port: int) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.returncode is None:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(_POLL)
        else:
            writer.close()
            return
    reason = f"a server does not answer at port {port}"
    raise RuntimeError(reason)
