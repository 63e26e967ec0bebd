"""Where the server listens, and whether what is said there is encrypted."""

import asyncio
import logging
import os
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from socket import gethostname

from aiohttp import web

from server.background import keeping_up
from server.certificate import Certificate, make
from server.config import ServerConfig
from server.connections import CONNECTIONS, Site
from shared.errors import StartError

__all__ = ["certificate_of", "is_loopback", "listening"]

_LOG = logging.getLogger("scantrail.server")
_PLAIN = (
    "PLAIN HTTP on %s: everybody on the way can read tokens and scans, and change "
    "them. Set [tls] mode, or listen on loopback behind a proxy with TLS"
)
_OWN = ("tls/cert.pem", "tls/key.pem")
_CREDENTIALS = ("scantrail.tls-cert", "scantrail.tls-key")


def certificate_of(
    config: ServerConfig,
    environ: Mapping[str, str] = os.environ,
    *,
    make_own: bool = True,
) -> Certificate | None:
    """Return the certificate that the settings ask for; None where they ask for none.

    Args:
        config: The settings.
        environ: Where systemd says what credentials there are.
        make_own: Make one that is asked for and not there; else there is none.

    Raises:
        StartError: It cannot be used.
    """
    tls, data = config.tls, Path(config.data)
    if tls.mode == "off":
        return None
    if tls.mode == "own":
        certificate, key = (data / name for name in _OWN)
        if not make_own and not certificate.exists():
            return None
        make(certificate, key, {*tls.names, gethostname(), "localhost", *_host(config)})
        return Certificate(certificate, key)
    given = environ.get("CREDENTIALS_DIRECTORY", "")
    paths = (tls.cert, tls.key)
    if given and not any(paths):
        paths = (f"{given}/{_CREDENTIALS[0]}", f"{given}/{_CREDENTIALS[1]}")
    if not all(paths):
        reason = (
            '[tls] mode is "files", and cert or key is missing: name both files, or '
            f"give systemd's credentials {' and '.join(_CREDENTIALS)}"
        )
        raise StartError(reason)
    return Certificate(Path(paths[0]), Path(paths[1]))


def _host(config: ServerConfig) -> tuple[str, ...]:
    """Return the address to listen on, where it is one of this machine's."""
    try:
        return () if ip_address(config.host).is_unspecified else (config.host,)
    except ValueError:
        return (config.host,)


@asynccontextmanager
async def listening(
    runner: web.AppRunner, config: ServerConfig, certificate: Certificate | None
) -> AsyncIterator[str]:
    """Listen, and yield the address; a renewed certificate is taken meanwhile.

    SIGHUP looks for one at once, and never ends the server.

    Raises:
        StartError: It cannot listen there.
    """
    context = certificate.context if certificate else None
    watched = runner.app[CONNECTIONS]
    site = Site(runner, watched, config.host, config.port, context)
    try:
        await site.start()
    except OSError as error:
        reason = (
            f"cannot listen on {config.host} port {config.port}: {error.strerror}. "
            "Another program may use it: choose another with --port."
        )
        raise StartError(reason) from error
    host, port = runner.addresses[0][:2]
    renewed = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, renewed.set)
    if certificate is None:
        _warn(host, port)
        yield f"http://{_shown(host)}:{port}"
        return
    _LOG.info(
        "stations join %s, whatever this machine is called where they are",
        f"https://{_called(host)}:{port}#{certificate.fingerprint}",
    )
    async with keeping_up(partial(certificate.follow, renewed), "the certificate"):
        yield f"https://{_shown(host)}:{port}"


def _warn(host: str, port: int) -> None:
    """Say so where what goes over a network is not encrypted."""
    if not is_loopback(host):
        _LOG.warning(_PLAIN, f"{_shown(host)}:{port}")


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens there."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _called(host: str) -> str:
    """Return a name by which other machines may reach this one."""
    return gethostname() if ip_address(host).is_unspecified else _shown(host)
