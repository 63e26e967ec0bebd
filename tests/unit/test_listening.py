"""What the server says of how it listens."""

import logging
import ssl
from pathlib import Path

import pytest
from aiohttp import web

from server.config import ServerConfig, TlsSettings
from server.connections import CONNECTIONS, Connections
from server.listening import certificate_of, listening
from shared.errors import StartError
from tests.authority import Authority

PLAIN = "PLAIN HTTP"


async def said(config: ServerConfig, caplog: pytest.LogCaptureFixture) -> str:
    app = web.Application()
    app[CONNECTIONS] = Connections()
    runner = web.AppRunner(app)
    await runner.setup()
    with caplog.at_level(logging.WARNING):
        async with listening(runner, config, certificate_of(config)):
            pass
    await runner.cleanup()
    return caplog.text


async def test_plain_http_to_other_machines_is_said_loudly(
    caplog: pytest.LogCaptureFixture,
) -> None:
    everywhere = ServerConfig(host="0.0.0.0", port=0)  # noqa: S104 - the point
    assert PLAIN in await said(everywhere, caplog)


async def test_it_is_not_said_where_it_is_not_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert PLAIN not in await said(ServerConfig(port=0), caplog)
    own = ServerConfig(
        host="0.0.0.0",  # noqa: S104 - the point
        port=0,
        data=str(tmp_path),
        tls=TlsSettings(mode="own"),
    )
    assert PLAIN not in await said(own, caplog)


def test_credentials_of_systemd_are_taken(tmp_path: Path) -> None:
    certificate, key = Authority(tmp_path).sign()
    certificate.rename(tmp_path / "scantrail.tls-cert")
    key.rename(tmp_path / "scantrail.tls-key")
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    files = ServerConfig(tls=TlsSettings(mode="files"))
    assert certificate_of(files, environ) is not None
    with pytest.raises(StartError, match="is missing"):
        certificate_of(files, {})


def test_only_tls_1_2_and_newer_is_spoken(tmp_path: Path) -> None:
    config = ServerConfig(data=str(tmp_path), tls=TlsSettings(mode="own"))
    certificate = certificate_of(config)
    assert certificate is not None
    assert certificate.context.minimum_version >= ssl.TLSVersion.TLSv1_2
