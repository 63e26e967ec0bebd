"""NATS JetStream: a subject for each log, and each row with an id of its own."""

import asyncio
import subprocess
import time
from pathlib import Path

from bench.peers.given import Batch, Given, NotHereError, Taken
from bench.peers.running import found, free_port, running

__all__ = ["flushed", "jetstream"]

_INSTALL = "apt-get install nats-server"


async def jetstream(folder: Path, rows: Given) -> Taken:
    """Take the rows as the server comes: acknowledged once written, flushed later."""
    return await _taken(folder, rows, "")


async def flushed(folder: Path, rows: Given) -> Taken:
    """Do the same, each row flushed before it is acknowledged."""
    return await _taken(folder, rows, "sync_interval: always")


async def _taken(folder: Path, rows: Given, more: str) -> Taken:
    program, port = found("nats-server", _INSTALL), free_port()
    config = folder / "nats.conf"
    config.write_text(
        f"listen: 127.0.0.1:{port}\njetstream {{ store_dir: '{folder}/js'\n{more}\n}}\n"
    )
    if not _understands(program, config):
        reason = f"this nats-server does not know {more!r}: 2.10 and newer do"
        raise NotHereError(reason)
    async with running(folder, port, program, "-c", str(config)):
        return await _measured(port, rows)


def _understands(program: str, config: Path) -> bool:
    done = subprocess.run(
        [program, "-c", config, "-t"], check=False, capture_output=True
    )
    return not done.returncode


async def _measured(port: int, rows: Given) -> Taken:
    try:
        import nats  # noqa: PLC0415 # only `make bench` installs it
    except ImportError as error:
        reason = "nats-py is not installed: make bench installs it"
        raise NotHereError(reason) from error
    connection = await nats.connect(f"nats://127.0.0.1:{port}")
    try:
        stream = connection.jetstream(timeout=60, publish_async_max_pending=4_000)
        await stream.add_stream(name="scans", subjects=["scans.*"], storage="file")

        async def send(batches: list[Batch]) -> None:
            for batch in batches:
                told = [
                    await stream.publish_async(
                        f"scans.{batch.station}",
                        data,
                        headers={"Nats-Msg-Id": f"{batch.station}:{seq}"},
                    )
                    for seq, _, data in batch.numbered()
                ]
                await asyncio.gather(*told)

        began = time.perf_counter()
        await asyncio.gather(*map(send, rows.stations))
        rate = rows.rows / (time.perf_counter() - began)
        await asyncio.gather(*map(send, rows.again.stations))
        state = (await stream.stream_info("scans")).state
    finally:
        await connection.close()
    return Taken(rate, int(state.messages))
