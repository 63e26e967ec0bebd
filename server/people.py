"""People who sign in: a folder with a file for each, named by the hash of the name.

A password is kept as an argon2id hash. A file is made whole or not at all, so that
``scantrail-server person`` works while a server runs, and a person ends with the file.
The only module that imports argon2.
"""

import unicodedata
from collections.abc import Sequence
from enum import Enum
from hashlib import sha256
from pathlib import Path
from threading import Lock

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from server.easy import is_easy
from server.keys import Scope
from server.second_factor import matching_step, recovery_hash
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
    """A person. ``changed`` is when password, role or second factor was set last.

    ``second`` is the secret of the second factor; empty where there is none.
    ``recovery`` are hashes of the codes that stand in for it, ``used`` the latest step
    of which a code was taken.
    """

    name: str
    role: Role
    hash: str
    changed: str
    second: str = ""
    recovery: tuple[str, ...] = ()
    used: int = 0


class People:
    """The people in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._one = Lock()

    def put(self, name: str, role: Role, password: str, changed: str) -> Person:
        """Add a person, or give one who is there another password and role.

        A second factor stays.

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
        if is_easy(password, (name,)):
            reason = (
                "this password is guessed easily: it is a usual one, or a word or a "
                "name with little beside it; take several words"
            )
            raise PasswordError(reason)
        hashed = _HASHER.hash(_normal(password))
        with self._one:
            before = self.find(name) or Person(
                name=name, role=role, hash="", changed=""
            )
            return self._keep(
                msgspec.structs.replace(
                    before, name=name, role=role, hash=hashed, changed=changed
                )
            )

    def set_second(
        self, name: str, secret: str, recovery: Sequence[str], used: int, changed: str
    ) -> Person | None:
        """Give somebody a second factor, or none; ``None`` for nobody.

        Args:
            name: Who.
            secret: What the codes are made from; empty takes the second factor away.
            recovery: Hashes of the codes that stand in for it.
            used: The latest step of which a code was taken.
            changed: The present; sessions from before end.
        """
        with self._one:
            person = self.find(name)
            if person is None:
                return None
            return self._keep(
                msgspec.structs.replace(
                    person,
                    second=secret,
                    recovery=tuple(recovery),
                    used=used,
                    changed=changed,
                )
            )

    def _keep(self, person: Person) -> Person:
        files.make_folder(self._folder)
        files.write(self._path(person.name), msgspec.json.encode(person))
        return person

    def set_role(self, name: str, role: Role, changed: str) -> Person | None:
        """Give somebody another role, and end his sessions; ``None`` for nobody."""
        with self._one:
            person = self.find(name)
            if person is None:
                return None
            return self._keep(
                msgspec.structs.replace(person, role=role, changed=changed)
            )

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

    def enter(self, name: str, password: str, code: str, now: int) -> Person | None:
        """Return who comes in by a password and, where he has one, a second factor.

        A code that was taken is taken once.
        """
        person = self.check(name, password)
        if person is None or not person.second:
            return person
        with self._one:
            person = self.find(name)
            if person is None:
                return None
            step = matching_step(person.second, code, now, person.used)
            if step is not None:
                return self._keep(msgspec.structs.replace(person, used=step))
            spent = recovery_hash(code, person.recovery)
            if not spent:
                return None
            left = tuple(one for one in person.recovery if one != spent)
            return self._keep(msgspec.structs.replace(person, recovery=left))

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
