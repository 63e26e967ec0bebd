"""The last step of every driver: count a read, and hand it to the station."""

from edge.scanners import Read, ScannerHealth, Sink

__all__ = ["deliver"]


async def deliver(read: Read, health: ScannerHealth, sink: Sink) -> None:
    """Count ``read`` in ``health``, and wait until the station has taken it."""
    health.reads += 1
    health.damaged += read.damaged
    health.last_read = read.clock.at
    await sink(read)
