"""Who is signed in: a folder with a file for each session, named by its id's hash.

The id is an opaque random secret in the browser's cookie; a reader of the folder, or of
a backup, cannot sign in with what is in it. A session ends by itself, with its file, or
once its person's password or role is set anew. Of a person who came by an identity
provider the session itself holds the role.
"""

import hmac
from hashlib import sha256
from pathlib import Path

import msgspec

from server.keys import hashed, new_secret
from server.people import People, Person, Role
from shared import files
from shared.moments import SECOND

__all__ = ["Session", "Sessions", "form_token"]

HOUR = 3600 * SECOND
SHIFT = 12 * HOUR
"""How long a session lasts of whoever can change something."""
WALL = 30 * 24 * HOUR
"""How long a viewer's session lasts: a screen on a wall has nobody who signs in."""
MOST = 20
"""Sessions of one person; one more ends the oldest."""


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    changed: str
    expires: int
    role: str = ""


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who is signed in, and the token that his forms carry."""

    person: Person
    token: str


def form_token(secret: str) -> str:
    """Return the token of a session's forms; it does not lead back to the session."""
    return hmac.new(secret.encode(), b"form", sha256).hexdigest()


class Sessions:
    """The sessions in a folder.

    Args:
        folder: Where they are.
        people: Whose they are.
        visitors: Whether there are people of an identity provider, too; their sessions
            hold their role, and end with this.
    """

    def __init__(self, folder: Path, people: People, *, visitors: bool = False) -> None:
        self._folder = folder
        self._people = people
        self._visitors = visitors

    def begin(
        self, person: Person, now: int, *, visiting: bool = False
    ) -> tuple[str, int]:
        """Sign somebody in; return the secret, and for how many seconds it holds."""
        self._tidy(person, now)
        secret = new_secret("se")
        stays = person.role is Role.VIEWER and not visiting
        kept = _Kept(
            name=person.name,
            changed=person.changed,
            expires=now + (lasts := WALL if stays else SHIFT),
            role=person.role.value if visiting else "",
        )
        files.make_folder(self._folder)
        files.write(self._path(secret), msgspec.json.encode(kept))
        return secret, lasts // SECOND

    def find(self, secret: str, now: int) -> Session | None:
        """Return whose session this is, if it is one and goes on."""
        kept = _read(self._path(secret))
        if kept is None or kept.expires <= now:
            return None
        person = self._person(kept)
        if person is None or person.changed != kept.changed:
            return None
        return Session(person=person, token=form_token(secret))

    def _person(self, kept: _Kept) -> Person | None:
        if not kept.role:
            return self._people.find(kept.name)
        if not self._visitors or kept.role not in {role.value for role in Role}:
            return None
        role = Role(kept.role)
        return Person(name=kept.name, role=role, hash="", changed=kept.changed)

    def end(self, secret: str) -> None:
        """Sign somebody out."""
        self._path(secret).unlink(missing_ok=True)

    def _tidy(self, person: Person, now: int) -> None:
        """Take away what has ended, and the oldest of a person who has too many."""
        own: list[tuple[int, Path]] = []
        for path in self._folder.glob("*.json"):
            kept = _read(path)
            if kept is None or kept.expires <= now:
                path.unlink(missing_ok=True)
            elif kept.name == person.name:
                own.append((kept.expires, path))
        for _, path in sorted(own)[: max(0, len(own) - MOST + 1)]:
            path.unlink(missing_ok=True)

    def _path(self, secret: str) -> Path:
        return self._folder / f"{hashed(secret).hex()}.json"


def _read(path: Path) -> _Kept | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Kept)
    except (OSError, msgspec.DecodeError):
        return None
