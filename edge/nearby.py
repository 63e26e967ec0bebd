"""Servers that say on the local network that they are here, by multicast DNS.

What is heard proves nothing, and is held to its form (``shared.announced``). The only
module of a station that imports zeroconf, which is an extra.
"""

import asyncio
from collections.abc import Sequence
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

from shared.announced import MOST, SERVICE, Found, read
from shared.errors import StartError

if TYPE_CHECKING:
    from zeroconf import ServiceInfo, ServiceStateChange, Zeroconf

__all__ = ["look"]

_PATIENCE = 3.0
_ANSWER_MS = 1500


async def look(
    seconds: float = _PATIENCE, *, interfaces: Sequence[str] = ()
) -> list[Found]:
    """Listen for so long; return the servers that were heard, by address.

    Args:
        seconds: How long.
        interfaces: Addresses of the interfaces to listen on; the usual ones by default.

    Raises:
        StartError: The extra is not installed, or there is no network.
    """
    try:
        from zeroconf import InterfaceChoice  # noqa: PLC0415 # an extra
        from zeroconf.asyncio import (  # noqa: PLC0415
            AsyncServiceBrowser,
            AsyncServiceInfo,
            AsyncZeroconf,
        )
    except ImportError as error:
        reason = (
            "which server? scantrail-station join URL CODE, with a URL like "
            "https://scantrail.example.org (or set SCANTRAIL_SERVER); to look for one "
            "on this network, install the extra mdns"
        )
        raise StartError(reason) from error
    names: set[str] = set()

    def heard(
        zeroconf: "Zeroconf",
        service_type: str,
        name: str,
        state_change: "ServiceStateChange",
    ) -> None:
        del zeroconf, service_type, state_change
        if len(names) < MOST:
            names.add(name)

    try:
        zeroconf = AsyncZeroconf(interfaces=list(interfaces) or InterfaceChoice.Default)
    except OSError as error:
        reason = f"this machine cannot listen for servers: {error.strerror}"
        raise StartError(reason) from error
    try:
        browser = AsyncServiceBrowser(zeroconf.zeroconf, SERVICE, handlers=[heard])
        await asyncio.sleep(seconds)
        infos = [AsyncServiceInfo(SERVICE, name) for name in sorted(names)]
        await asyncio.gather(
            *(info.async_request(zeroconf.zeroconf, _ANSWER_MS) for info in infos)
        )
        await browser.async_cancel()
    finally:
        await zeroconf.async_close()
    found = {one.url: one for info in infos for one in _read(info)}
    return [one for _, one in sorted(found.items())][:MOST]


def _read(info: "ServiceInfo") -> list[Found]:
    told = [
        read(IPv4Address(packed), info.port or 0, info.properties)
        for packed in info.addresses[:MOST]
    ]
    return [one for one in told if one is not None]
