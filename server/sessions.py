"""Who is signed in: a folder with a file for each session, named by its id's hash.

The id is an opaque random secret in the browser's cookie; a reader of the folder, or of
a backup, cannot sign in with what is in it. A session ends by itself, with its file, or
once its person's password or role is set anew. Of a person who came by an identity
provider the session itself holds the role.
"""

import hmac
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import msgspec

from server.keys import hashed, new_secret
from server.people import People, Person, Role
from shared import files
from shared.moments import SECOND

__all__ = ["PROOF", "Listed", "Session", "Sessions", "Whence", "form_token"]

_LONGEST = 200

HOUR = 3600 * SECOND
SHIFT = 12 * HOUR
"""How long a session lasts of whoever can change something."""
WALL = 30 * 24 * HOUR
"""How long a viewer's session lasts: a screen on a wall has nobody who signs in."""
IDLE, WALL_IDLE = 2 * HOUR, 7 * 24 * HOUR
"""How long a session may lie still, of whoever can change something, and of viewers."""
PROOF = 15 * 60 * SECOND
"""How long it holds that somebody has shown that it is he, for what weighs most."""
_SEEN_EVERY = 60 * SECOND
MOST = 20
"""Sessions of one person; one more ends the oldest."""


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    changed: str
    expires: int
    role: str = ""
    begun: int = 0
    seen: int = 0
    proved: int = 0
    whence: str = ""
    browser: str = ""


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who is signed in, and the token that his forms carry.

    ``proved`` is when he showed last that it is he, in microseconds since 1970;
    ``visiting`` is who came by an identity provider.
    """

    person: Person
    token: str
    proved: int = 0
    visiting: bool = False


class Whence(msgspec.Struct, frozen=True):
    """From where somebody signs in, and with what, for him to know it again."""

    address: str
    browser: str


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A session as its person sees it; ``id`` is its hash, ``mine`` is who asks."""

    id: str
    begun: int
    seen: int
    whence: str
    browser: str
    mine: bool


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
        self,
        person: Person,
        now: int,
        *,
        visiting: bool = False,
        whence: Whence | None = None,
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
            begun=now,
            seen=now,
            proved=now,
            whence=whence.address[:_LONGEST] if whence else "",
            browser=whence.browser[:_LONGEST] if whence else "",
        )
        files.make_folder(self._folder)
        files.write(self._path(secret), msgspec.json.encode(kept))
        return secret, lasts // SECOND

    def find(self, secret: str, now: int) -> Session | None:
        """Return whose session this is, if it is one and goes on."""
        kept = _read(self._path(secret))
        if kept is None or not self._goes_on(kept, now):
            return None
        person = self._person(kept)
        if person is None:
            return None
        return Session(
            person=person,
            token=form_token(secret),
            proved=kept.proved,
            visiting=bool(kept.role),
        )

    def use(self, secret: str, now: int, *, by_itself: bool) -> None:
        """Note that a session is used; that a page reads itself anew is no use of it.

        Of a viewer it is: a screen on a wall has nobody who touches it.
        """
        kept = _read(self._path(secret))
        if kept is None or now - kept.seen < _SEEN_EVERY:
            return
        person = self._person(kept)
        if person is not None and (not by_itself or _stays(person, kept)):
            self._keep(secret, msgspec.structs.replace(kept, seen=now))

    def prove(self, secret: str, now: int) -> None:
        """Note that somebody has shown again that it is he."""
        kept = _read(self._path(secret))
        if kept is not None:
            self._keep(secret, msgspec.structs.replace(kept, proved=now, seen=now))

    def all_of(self, name: str, secret: str, now: int) -> list[Listed]:
        """Return somebody's sessions that go on, the one used last first."""
        own = self._path(secret)
        found = [
            Listed(
                id=path.stem,
                begun=kept.begun,
                seen=kept.seen,
                whence=kept.whence,
                browser=kept.browser,
                mine=path == own,
            )
            for path, kept in self._of(name)
            if self._goes_on(kept, now)
        ]
        return sorted(found, key=lambda one: -one.seen)

    def end_others(self, name: str, secret: str, id_: str = "") -> int:
        """End one of somebody's other sessions, or all; return how many ended."""
        own = self._path(secret)
        gone = [
            path
            for path, _ in self._of(name)
            if path != own and (not id_ or path.stem == id_)
        ]
        for path in gone:
            path.unlink(missing_ok=True)
        return len(gone)

    def _of(self, name: str) -> Iterator[tuple[Path, _Kept]]:
        for path in self._folder.glob("*.json"):
            kept = _read(path)
            if kept is not None and kept.name == name:
                yield path, kept

    def _goes_on(self, kept: _Kept, now: int) -> bool:
        person = self._person(kept)
        if person is None or person.changed != kept.changed or kept.expires <= now:
            return False
        return now - kept.seen <= (WALL_IDLE if _stays(person, kept) else IDLE)

    def _keep(self, secret: str, kept: _Kept) -> None:
        path = self._path(secret)
        if path.exists():  # it may have been ended meanwhile
            files.write(path, msgspec.json.encode(kept))

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


def _stays(person: Person, kept: _Kept) -> bool:
    """Whether a session may be that of a screen on a wall."""
    return person.role is Role.VIEWER and not kept.role


def _read(path: Path) -> _Kept | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Kept)
    except (OSError, msgspec.DecodeError):
        return None
