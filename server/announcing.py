"""Telling the local network that a server is here, by multicast DNS (RFC 6762, 6763).

Whoever hears it has an address and a fingerprint, and no reason to believe either: a
station joins by what a person compared. The only module of the server that imports
zeroconf, which is an extra.
"""

import logging
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from ipaddress import IPv4Address, ip_address
from socket import gethostname

from server.config import ServerConfig
from shared.announced import SERVICE, properties
from shared.errors import StartError

__all__ = ["announced"]

_LOG = logging.getLogger("scantrail.server")
_GROUP = ("224.0.0.251", 5353)  # of multicast DNS
_LONGEST_LABEL = 50


@asynccontextmanager
async def announced(
    config: ServerConfig,
    *,
    server: str,
    fingerprint: str,
    port: int,
    interfaces: Sequence[str] = (),
) -> AsyncIterator[None]:
    """Announce the server while this is open, if its settings ask for that.

    Args:
        config: The settings.
        server: The server's identity.
        fingerprint: Of the certificate that the server made; empty for another.
        port: Where it listens.
        interfaces: Addresses of the interfaces to speak on; the usual ones by default.

    Raises:
        StartError: The extra is not installed.
    """
    if not config.announce:
        yield
        return
    try:
        from zeroconf import InterfaceChoice  # noqa: PLC0415 # an extra
        from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf  # noqa: PLC0415
    except ImportError as error:
        reason = (
            "announce = true needs the extra mdns: pip install 'scantrail[mdns]', or "
            "set announce = false"
        )
        raise StartError(reason) from error
    address = _address(config.host)
    if address is None or (address.is_loopback and not interfaces):
        _LOG.warning(
            "not announced: other machines cannot reach %s; set host", config.host
        )
        yield
        return
    called = gethostname().partition(".")[0][:_LONGEST_LABEL] or "scantrail"
    info = AsyncServiceInfo(
        SERVICE,
        f"{called} {server[:8]}.{SERVICE}",
        addresses=[address.packed],
        port=port,
        properties=properties(
            server=server,
            fingerprint=fingerprint,
            tls=config.tls.mode,
            name=next(iter(config.tls.names), gethostname()),
        ),
        server=f"{called}-{server[:8]}.local.",
    )
    zeroconf = AsyncZeroconf(
        interfaces=list(interfaces) or InterfaceChoice.Default,
    )
    try:
        await (await zeroconf.async_register_service(info))
        _LOG.info("announced to the local network as %s at %s", called, address)
        yield
    finally:
        await zeroconf.async_unregister_all_services()
        await zeroconf.async_close()


def _address(host: str) -> IPv4Address | None:
    """Return the IPv4 address by which others reach what listens on ``host``."""
    try:
        found = ip_address(host)
    except ValueError:
        return None
    if isinstance(found, IPv4Address) and not found.is_unspecified:
        return found
    if not found.is_unspecified:
        return None
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        try:
            asked.connect(_GROUP)  # sends nothing: the route says which address
        except OSError:
            return None
        return IPv4Address(asked.getsockname()[0])
