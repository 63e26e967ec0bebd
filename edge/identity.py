"""Who this station is: its key pair, its token, and the server that it joined.

Contract, section 3.1. One file in the data folder, for the owner alone, replaced as a
whole. A station without one has not joined yet; it captures all the same.
"""

import base64
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared import files
from shared.errors import StartError

__all__ = ["Identity", "load", "save"]

_NAME = "identity.json"


@dataclass(frozen=True, kw_only=True)
class Identity:
    """A station that has joined a server.

    ``url`` is where the server is, ``server`` what it calls itself, ``epoch`` names
    its history: a server that was restored has a new one. Where there is
    a ``fingerprint``, the server has to show the certificate with it, and no other; no
    authority and no date is asked then. ``following`` is the token after this, kept
    before the server is told of it; ``earlier`` are those before, the latest first: a
    server that was restored from a backup knows one of them.
    """

    url: str
    server: str
    station: str
    epoch: str
    location: str | None = None
    fingerprint: str = ""
    token: str = field(repr=False)
    following: str = field(repr=False, default="")
    earlier: tuple[str, ...] = field(repr=False, default=())
    key: Ed25519PrivateKey = field(repr=False)

    @property
    def public_key(self) -> str:
        """The 32 bytes of the public key, in base64."""
        return base64.b64encode(self.key.public_key().public_bytes_raw()).decode()

    def sign(self, message: bytes) -> bytes:
        """Return the Ed25519 signature (RFC 8032) of a message: 64 bytes."""
        return self.key.sign(message)


class _Stored(msgspec.Struct, kw_only=True):
    url: str
    server: str
    station: str
    epoch: str
    location: str | None = None
    fingerprint: str = ""
    token: str
    following: str = ""
    earlier: tuple[str, ...] = ()
    key: bytes


def load(data: Path) -> Identity | None:
    """Read the identity that is kept in the data folder; None if there is none.

    Raises:
        StartError: It cannot be read.
    """
    path = data / _NAME
    try:
        stored = msgspec.json.decode(path.read_bytes(), type=_Stored)
        key = Ed25519PrivateKey.from_private_bytes(stored.key)
    except FileNotFoundError:
        return None
    except PermissionError as error:
        reason = f"{path}: {error.strerror}; run it as the user whose folder it is"
        raise StartError(reason) from None
    except (OSError, ValueError) as error:
        # never the error's own text: it may quote what is in the file
        why = error.strerror if isinstance(error, OSError) else "it is damaged"
        reason = f"{path}: {why}; let this station join again, with a new code"
        raise StartError(reason) from None
    return Identity(
        url=stored.url,
        server=stored.server,
        station=stored.station,
        epoch=stored.epoch,
        location=stored.location,
        fingerprint=stored.fingerprint,
        token=stored.token,
        following=stored.following,
        earlier=stored.earlier,
        key=key,
    )


def save(data: Path, identity: Identity) -> None:
    """Keep an identity in the data folder, in place of the one that was there.

    Raises:
        StartError: It cannot be written; the one that was there still is.
    """
    stored = _Stored(
        url=identity.url,
        server=identity.server,
        station=identity.station,
        epoch=identity.epoch,
        location=identity.location,
        fingerprint=identity.fingerprint,
        token=identity.token,
        following=identity.following,
        earlier=identity.earlier,
        key=identity.key.private_bytes_raw(),
    )
    try:
        files.make_folder(data)
        files.write(data / _NAME, msgspec.json.encode(stored))
    except OSError as error:
        reason = f"{data / _NAME}: {error.strerror}; see the disk and who owns it"
        raise StartError(reason) from error
