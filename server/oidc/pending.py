"""Who has gone to the identity provider, and has not come back yet. In memory, bounded.

The state that comes back is worth something only once, only for a while, and only in
the browser that went: it holds a secret whose hash is kept here.
"""

import base64
import hmac
import secrets
from collections import OrderedDict
from hashlib import sha256

import msgspec

from shared.moments import SECOND

__all__ = ["PATIENCE", "Gone", "Pending"]

PATIENCE = 600 * SECOND
"""How long somebody may take to sign in there."""
MOST = 1000
"""Who may be under way; one more makes the oldest begin again."""
_LONGEST = 300


class Gone(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who is under way; ``to`` is where he wants to get here."""

    nonce: str
    verifier: str
    to: str
    browser: bytes
    since: int

    @property
    def challenge(self) -> str:
        """What is told of the verifier: S256, RFC 7636."""
        digest = sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


class Pending:
    """All who are under way, by their state."""

    def __init__(self, most: int = MOST) -> None:
        self._gone: OrderedDict[str, Gone] = OrderedDict()
        self._most = most

    def begin(self, to: str, now: int) -> tuple[str, str, Gone]:
        """Let somebody go; return the state, and the secret for his browser."""
        state, browser = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        gone = Gone(
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(48),
            to=to[:_LONGEST],
            browser=_hash(browser),
            since=now,
        )
        self._gone[state] = gone
        while len(self._gone) > self._most:
            self._gone.popitem(last=False)
        return state, browser, gone

    def back(self, state: str, browser: str, now: int) -> Gone | None:
        """Return who has come back with a state; it is worth nothing from then on."""
        gone = self._gone.pop(state, None)
        if gone is None or now - gone.since > PATIENCE:
            return None
        return gone if hmac.compare_digest(gone.browser, _hash(browser)) else None


def _hash(secret: str) -> bytes:
    return sha256(secret.encode(errors="replace")).digest()
