"""Bearer keys of programs: a folder with a file for each, named by the key's hash.

A key has 256 random bits, so that its plain SHA-256 tells nothing of it. A file is
made whole or not at all, so that ``scantrail-server key`` works while a server runs,
and a key ends with its file, or at a time of its own.
"""

import secrets
from enum import Enum
from hashlib import sha256
from pathlib import Path

import msgspec

from shared import files

__all__ = ["Key", "Keys", "Scope", "hashed", "new_secret"]

_KIND = "sk"
"""What every key begins with."""


class Scope(Enum):
    """What a key may do; each may also do what those before it may."""

    READ = "read"
    OPERATE = "operate"
    """Write remarks, take an exception on."""
    SUPERVISE = "supervise"
    """Settle exceptions, look for items."""
    ADMIN = "admin"

    def includes(self, other: "Scope") -> bool:
        """Whether a key of this scope may do what needs the other."""
        order = list(Scope)
        return order.index(other) <= order.index(self)


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a key; ``name`` says in the log who did what he did with it.

    ``expires`` is when it ends by itself, in microseconds since 1970; 0 is never.
    """

    scope: Scope
    created: str
    name: str = ""
    expires: int = 0


def new_secret(prefix: str) -> str:
    """Make a secret that says what it is, with 256 random bits."""
    return f"{prefix}_{secrets.token_urlsafe(32)}"


def hashed(secret: str) -> bytes:
    """Return what is stored of a secret with enough random bits."""
    return sha256(secret.encode()).digest()


class Keys:
    """The keys in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def create(
        self, scope: Scope, created: str, name: str = "", expires: int = 0
    ) -> str:
        """Make a key, and return it; nothing but its hash is kept."""
        secret = new_secret(_KIND)
        files.make_folder(self._folder)
        key = Key(scope=scope, created=created, name=name, expires=expires)
        files.write(self._path(secret), msgspec.json.encode(key))
        return secret

    def find(self, secret: str, now: int) -> Key | None:
        """Return the key, if there is such a one and it has not ended."""
        if not secret.startswith(_KIND):
            return None
        try:
            data = self._path(secret).read_bytes()
            found = msgspec.json.decode(data, type=Key)
        except (OSError, msgspec.DecodeError):
            return None
        return None if found.expires and found.expires <= now else found

    def all(self) -> dict[str, Key]:
        """Return every key by its hash in hex, the newest first; also those ended."""
        found: dict[str, Key] = {}
        for path in self._folder.glob("*.json"):
            try:
                found[path.stem] = msgspec.json.decode(path.read_bytes(), type=Key)
            except (OSError, msgspec.DecodeError):
                continue
        newest = sorted(found.items(), key=lambda one: one[1].created, reverse=True)
        return dict(newest)

    def remove(self, name: str) -> Key | None:
        """End a key, by its hash in hex; return what it was, if there was one."""
        key = self.all().get(name)
        if key is not None:
            (self._folder / f"{name}.json").unlink(missing_ok=True)
            files.sync_folder(self._folder)
        return key

    def _path(self, secret: str) -> Path:
        return self._folder / f"{hashed(secret).hex()}.json"
