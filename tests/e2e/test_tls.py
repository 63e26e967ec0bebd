"""The real programs over TLS: joined by fingerprint, and a certificate renewed."""

import shutil
import signal
import ssl
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from shared.fingerprint import fingerprint
from tests.authority import Authority, der
from tests.programs import Server, at_server, station, told, until


def shown(url: str) -> str:
    """Return the fingerprint of what a server shows to a new connection."""
    parts = urlsplit(url)
    pem = ssl.get_server_certificate((str(parts.hostname), parts.port or 443))
    return fingerprint(ssl.PEM_cert_to_DER_cert(pem))


def _key(server: Server) -> str:
    return told("scantrail-server", "key", "--data", str(server.data), "--scope=admin")


def test_a_station_joins_by_the_fingerprint_that_the_server_tells(
    tmp_path: Path,
) -> None:
    config = tmp_path / "server.toml"
    config.write_text('[tls]\nmode = "own"\n')
    server = Server(tmp_path / "server", config)
    server.start()
    try:
        assert server.url.startswith("https://127.0.0.1:")
        mark = shown(server.url)
        log = tmp_path / "server.log"
        until(lambda: f"#{mark}" in log.read_text(), "the log tells the fingerprint")
        where = f"{server.url}#{mark}"
        key = told(
            "scantrail-server", "key", "--data", str(server.data), "--scope=admin"
        )
        code = told(
            "scantrail-server", "station-code", "S", "--server", where, "--key", key
        )
        data = tmp_path / "station"
        told("scantrail-station", "join", where, code, "--data", str(data))
        with station(data) as running:
            running.scan("P-1")
            until(lambda: len(at_server(server.data)) >= 1, "the server has it")
        assert "P-1" in told(
            "scantrail", "trace", "P-1", "--server", where, "--key", key
        )
    finally:
        server.stop()
    server.start()
    try:
        assert shown(server.url) == mark
    finally:
        server.stop()


@pytest.mark.parametrize("by", ["signal", "change"])
def test_a_renewed_certificate_is_shown_without_a_restart(
    tmp_path: Path, by: str
) -> None:
    authority = Authority(tmp_path)
    old, new = authority.sign("old"), authority.sign("new")
    config = tmp_path / "server.toml"
    config.write_text(f'[tls]\nmode = "files"\ncert = "{old[0]}"\nkey = "{old[1]}"\n')
    server = Server(tmp_path / "server", config)
    server.start()
    try:
        assert shown(server.url) == fingerprint(der(old[0]))
        for have, want in zip(old, new, strict=True):
            shutil.copy(want, have)
        assert server.process is not None
        if by == "signal":
            server.process.send_signal(signal.SIGHUP)
        wanted = fingerprint(der(new[0]))
        until(lambda: shown(server.url) == wanted, "the new one is shown")
        assert server.process.poll() is None
    finally:
        server.stop()


def test_a_server_without_tls_outlives_sighup(tmp_path: Path) -> None:
    server = Server(tmp_path / "server")
    server.start()
    assert server.process is not None
    try:
        server.process.send_signal(signal.SIGHUP)
        key = told(
            "scantrail-server", "key", "--data", str(server.data), "--scope=admin"
        )
        told(
            "scantrail-server",
            "station-code",
            "S",
            "--server",
            server.url,
            "--key",
            key,
        )
        assert server.process.poll() is None
    finally:
        server.stop()
