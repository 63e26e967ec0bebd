"""Asking the server itself, on this machine."""

import sqlite3
import ssl
from contextlib import suppress
from pathlib import Path

import aiohttp
import msgspec

from server.backup import DATABASE
from server.certificate import Certificate
from server.client.show import plain
from server.config import ServerConfig
from server.doctor.finding import Finding, fine, has_unit, wrong
from server.store.audit import opened
from shared.errors import ScantrailError
from shared.fingerprint import digest
from shared.logfmt import quoted
from shared.protocol import Problem

__all__ = ["answer", "own_name"]

_PATIENCE = aiohttp.ClientTimeout(total=15, sock_connect=5)
"""A server whose database is lost tries for 8 s before it says so."""
_READY = 200
_LONGEST = 1000
"""Characters of what a server says."""


def own_name(data: Path) -> str:
    """Return what the server of this folder calls itself; empty where nobody says."""
    with suppress(ScantrailError, sqlite3.Error), opened(data / DATABASE) as connection:
        row = connection.execute("SELECT value FROM meta WHERE name = 'server'")
        (name,) = row.fetchone() or ("",)
        return str(name)
    return ""


async def answer(
    config: ServerConfig, certificate: Certificate | None, name: str
) -> Finding:
    """Ask the server itself, on this machine; another one may be there instead."""
    host = "127.0.0.1" if config.host in {"0.0.0.0", "::", ""} else config.host  # noqa: S104
    where = f"[{host}]" if ":" in host else host
    scheme = "https" if certificate else "http"
    server = f"{scheme}://{where}:{config.port}"
    url = f"{server}/readyz"
    pin: aiohttp.Fingerprint | ssl.SSLContext | bool = True
    if certificate is not None:
        pin = aiohttp.Fingerprint(digest(certificate.fingerprint))
    try:
        async with (
            aiohttp.ClientSession(timeout=_PATIENCE) as session,
            session.get(url, ssl=pin, allow_redirects=False) as found,
        ):
            body = await found.content.read(4000)
            async with session.get(
                f"{server}/healthz", ssl=pin, allow_redirects=False
            ) as alive:
                shown = _shown(await alive.content.read(2000))
            if name and shown != name:
                return wrong(
                    f"another server answers at {server}: {quoted(shown)}, and this "
                    f"folder's is {name}",
                    "stop that one, or choose another port in the settings",
                )
            if found.status == _READY:
                return fine(f"{url} answers, and takes writes")
            said = plain(_detail(body), _LONGEST)
            return wrong(f"{url} answers {found.status}: {said}", "")
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        return wrong(
            f"{url} does not answer: {str(error) or 'no answer in time'}",
            "systemctl status scantrail-server; journalctl -u scantrail-server"
            if has_unit("scantrail-server.service")
            else "start it: scantrail-server serve …; where it does not come to that, "
            "it says why",
        )


class _Alive(msgspec.Struct, kw_only=True):
    server: str = ""


def _shown(body: bytes) -> str:
    try:
        return msgspec.json.decode(body, type=_Alive).server
    except (ValueError, RecursionError):
        return ""


def _detail(body: bytes) -> str:
    """Return what a problem says to a person; of anything else its text."""
    try:
        found = msgspec.json.decode(body, type=Problem)
    except (ValueError, RecursionError):
        return body.decode(errors="replace")
    return found.detail or found.title
