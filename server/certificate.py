"""The server's certificate: given as two files, or made once and kept.

A renewed one is taken without a restart: new connections show it, those that are open
go on. One that cannot be used is told of, and the one in use stays.
"""

import asyncio
import logging
import ssl
from collections.abc import Collection
from contextlib import suppress
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from shared import files
from shared.errors import StartError
from shared.fingerprint import fingerprint

__all__ = ["Certificate", "make"]

_LOG = logging.getLogger("scantrail.server")
_LOOK = 10.0  # seconds between two looks at the files
_FROM, _UNTIL = datetime(2020, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
"""Of a certificate made here. Who pins it does not ask for its dates."""


class Certificate:
    """A certificate with its key, and the context that shows it.

    Args:
        certificate: A file in PEM: the server's own certificate first, then those
            between it and its authority.
        key: The file with its key, without a passphrase.

    Raises:
        StartError: They cannot be read, or do not belong together.
    """

    def __init__(self, certificate: Path, key: Path) -> None:
        self._paths = (certificate, key)
        self.context = _context()
        self._seen: object = None
        self.fingerprint = ""
        self.until = _UNTIL
        self.load()

    def load(self) -> None:
        """Read both files; where they cannot be used, what was read before stays.

        Raises:
            StartError: They cannot be used; the text says what to do.
        """
        certificate, key = self._paths
        self._seen = self._state()
        try:
            _context().load_cert_chain(certificate, key, password="")
            self.context.load_cert_chain(certificate, key, password="")
            shown = x509.load_pem_x509_certificate(certificate.read_bytes())
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or getattr(error, "reason", "")
            reason = (
                f"the certificate {certificate} with the key {key} cannot be used"
                f" ({why or 'not PEM'}). Both have to be readable by the server, in "
                "PEM, and belong together; the key has no passphrase"
            )
            raise StartError(reason) from error
        self.fingerprint = fingerprint(shown.public_bytes(serialization.Encoding.DER))
        self.until = shown.not_valid_after_utc

    async def follow(self, told: asyncio.Event) -> None:
        """Take what is renewed, until cancelled; at once where ``told`` is set."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK):
                    await told.wait()
            if told.is_set() or self._state() != self._seen:
                told.clear()
                self._renew()

    def _renew(self) -> None:
        try:
            self.load()
        except StartError as error:
            _LOG.error("the certificate in use stays: %s", error)
        else:
            _LOG.info("now shown: %s, until %s", self.fingerprint, self.until.date())

    def _state(self) -> object:
        with suppress(OSError):
            found = [path.stat() for path in self._paths]
            return [(one.st_mtime_ns, one.st_size, one.st_ino) for one in found]
        return None


def _context() -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    # some distributions leave the floor to OpenSSL's own settings
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def make(certificate: Path, key: Path, names: Collection[str]) -> None:
    """Make a key, and a certificate that it signs itself; what is there stays.

    Args:
        certificate: Where it goes; only the owner can read either.
        key: Where its key goes.
        names: What the server is called: names and addresses.

    Raises:
        StartError: They cannot be written.
    """
    if certificate.exists() and key.exists():
        return
    made = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Scantrail server")])
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(made.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_FROM)
        .not_valid_after(_UNTIL)
        .add_extension(
            x509.SubjectAlternativeName([_general(one) for one in sorted(set(names))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
        )
        .sign(made, hashes.SHA256())
    )
    plain = made.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    try:
        files.make_folder(certificate.parent)
        files.write(key, plain)
        files.write(certificate, signed.public_bytes(serialization.Encoding.PEM))
    except OSError as error:
        reason = f"{certificate} cannot be written: {error.strerror}"
        raise StartError(reason) from error


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
