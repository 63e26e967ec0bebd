"""People who sign in: a folder with a file for each, named by the hash of the name.

A password is kept as an argon2id hash. A file is made whole or not at all, so that
``scantrail-server person`` works while a server runs, and a person ends with the file.
The only module that imports argon2.
"""

import unicodedata
from enum import Enum
from hashlib import sha256
from pathlib import Path

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from server.keys import Scope
from shared import files
from shared.errors import ScantrailError

__all__ = ["LEAST", "MOST", "PasswordError", "People", "Person", "Role"]

LEAST, MOST = 10, 200
"""Characters of a password, at least and at most."""
MOST_NAME = 100

# OWASP Password Storage Cheat Sheet: 19 MiB, two passes, one lane
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_NOBODY = _HASHER.hash("a password that nobody has")


class Role(Enum):
    """What a person does here; each may also do what those before it may."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    ADMINISTRATOR = "administrator"

    @property
    def scope(self) -> Scope:
        """What the role may do."""
        return _SCOPES[self]


_SCOPES = {
    Role.VIEWER: Scope.READ,
    Role.OPERATOR: Scope.OPERATE,
    Role.SUPERVISOR: Scope.SUPERVISE,
    Role.ADMINISTRATOR: Scope.ADMIN,
}


class PasswordError(ScantrailError):
    """A name or a password that cannot be used; the text says what is expected."""


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """A person. ``changed`` is when the password or the role was set last."""

    name: str
    role: Role
    hash: str
    changed: str


class People:
    """The people in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, name: str, role: Role, password: str, changed: str) -> Person:
        """Add a person, or give one who is there another password and role.

        Raises:
            PasswordError: The name or the password cannot be used.
        """
        name = _plain(name)
        if not 0 < len(name) <= MOST_NAME or not name.isprintable():
            reason = f"a name has 1 to {MOST_NAME} printable characters"
            raise PasswordError(reason)
        if not LEAST <= len(password) <= MOST:
            reason = f"a password has {LEAST} to {MOST} characters"
            raise PasswordError(reason)
        hashed = _HASHER.hash(_normal(password))
        person = Person(name=name, role=role, hash=hashed, changed=changed)
        files.make_folder(self._folder)
        files.write(self._path(name), msgspec.json.encode(person))
        return person

    def set_role(self, name: str, role: Role, changed: str) -> Person | None:
        """Give somebody another role, and end his sessions; ``None`` for nobody."""
        person = self.find(name)
        if person is None:
            return None
        person = msgspec.structs.replace(person, role=role, changed=changed)
        files.write(self._path(name), msgspec.json.encode(person))
        return person

    def find(self, name: str) -> Person | None:
        """Return the person of a name, however large or small it is written."""
        try:
            return _read(self._path(name))
        except (OSError, msgspec.DecodeError):
            return None

    def all(self) -> list[Person]:
        """Return everybody, by name."""
        found = []
        for path in self._folder.glob("*.json"):
            try:
                found.append(_read(path))
            except (OSError, msgspec.DecodeError):
                continue
        return sorted(found, key=lambda person: person.name.casefold())

    def remove(self, name: str) -> bool:
        """Take a person away; return whether there was one."""
        path = self._path(name)
        there = path.exists()
        path.unlink(missing_ok=True)
        if there:
            files.sync_folder(self._folder)
        return there

    def check(self, name: str, password: str) -> Person | None:
        """Return the person whose password this is; about 50 ms, also for nobody."""
        person = self.find(name)
        try:
            _HASHER.verify(person.hash if person else _NOBODY, _normal(password))
        except (VerificationError, InvalidHashError):
            return None
        return person

    def _path(self, name: str) -> Path:
        folded = _plain(name).casefold()
        name = sha256(folded.encode(errors="replace")).hexdigest()
        return self._folder / f"{name}.json"


def _read(path: Path) -> Person:
    return msgspec.json.decode(path.read_bytes(), type=Person)


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name).strip()


def _normal(password: str) -> str:
    """Keyboards differ in how they write the same letter."""
    return unicodedata.normalize("NFKC", password)
