"""A real server for the measurements, as its own process."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from edge import joining
from edge.identity import Identity
from edge.outbox import Outbox
from tests.postgres import Postgres

__all__ = ["most_memory", "processes", "server", "servers_on", "station"]

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


@asynccontextmanager
async def servers_on(
    folder: Path, database: Postgres, count: int
) -> AsyncIterator[list[str]]:
    """Run several servers on a database of their own, and give their addresses."""
    config = folder / f"{count}.toml"
    url = database.database()
    more = f'[store]\nurl = "{url}"\n'
    config.write_text(f"requests_per_second = 0\nconnections = 20000\n{more}")
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(server(folder / f"data-{count}", config))
            for _ in range(count)
        ]


def processes(name: str) -> list[int]:
    """Return the processes of a program that this one began."""
    mine = Path(f"/proc/self/task/{os.getpid()}/children").read_text("ascii").split()
    return [
        int(pid)
        for pid in mine
        if name.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]


def most_memory(name: str) -> float:
    """Return the most memory that any process of a program ever used, in MB."""
    return max(map(_most, processes(name)))


def _most(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    line = next(part for part in status.splitlines() if part.startswith("VmHWM"))
    return int(line.split()[1]) / 1024
