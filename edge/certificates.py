"""The certificate that a server shows, on a connection over which nothing is sent."""

import asyncio
import contextlib
import ssl
from urllib.parse import urlsplit

__all__ = ["shown"]

_PATIENCE = 5.0  # seconds
_HTTPS = 443


async def shown(url: str) -> bytes | None:
    """Return it in DER, also where it is not to be trusted; None where there is none.

    Args:
        url: The server's address.
    """
    parts = urlsplit(url)
    if parts.scheme != "https":
        return None
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with contextlib.suppress(OSError, TimeoutError, ValueError):
        async with asyncio.timeout(_PATIENCE):
            _, writer = await asyncio.open_connection(
                parts.hostname, parts.port or _HTTPS, ssl=context
            )
        found: bytes | None = writer.get_extra_info("ssl_object").getpeercert(
            binary_form=True
        )
        writer.transport.abort()
        return found
    return None
