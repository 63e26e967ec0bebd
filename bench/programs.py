"""A real server for the measurements, as its own process."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from edge import joining
from edge.identity import Identity
from edge.outbox import Outbox

__all__ = ["server", "station"]

_BIN = Path(sys.executable).parent


async def _told(*command: str) -> str:
    process = await asyncio.create_subprocess_exec(
        str(_BIN / "scantrail-server"),
        *command,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    out, _ = await process.communicate()
    if process.returncode:
        reason = f"scantrail-server {command[0]} ended with {process.returncode}"
        raise RuntimeError(reason)
    return out.decode().strip()


@asynccontextmanager
async def server(data: Path, config: Path | None = None) -> AsyncIterator[str]:
    """Run a server, and give its address; an administrator's key is made for it."""
    settings = ("--config", str(config)) if config else ()
    process = await asyncio.create_subprocess_exec(
        str(_BIN / "scantrail-server"),
        *("serve", "--data", str(data), "--port", "0", *settings),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    if process.stdout is None:
        reason = "the server's address cannot be read"
        raise RuntimeError(reason)
    url = (await process.stdout.readline()).decode().strip()
    key = await _told("key", "--data", str(data), "--scope", "admin")
    os.environ.update(SCANTRAIL_SERVER=url, SCANTRAIL_KEY=key)
    try:
        yield url
    finally:
        process.terminate()
        await process.wait()


async def station(url: str, data: Path, outbox: Outbox) -> Identity:
    """Let a station join the server."""
    code = await _told("station-code", data.name, "--location", "DOCK-1")
    return await joining.join(
        url, code, data, log=outbox.log, version="bench", host="bench"
    )
