"""The identity provider: where to send somebody, and who came back.

Its addresses come from its own description (OpenID Connect Discovery 1.0), which is
read again each hour. Nothing is followed, and answers are bounded.
"""

import base64
import importlib.util
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import aiohttp
import msgspec

from server.oidc.pending import Gone
from server.oidc.settings import OidcSettings
from server.people import Role
from shared.errors import ScantrailError, StartError
from shared.moments import SECOND

_T = TypeVar("_T")

__all__ = ["BACK", "Provider", "SignInError", "Visitor", "available"]

BACK = "/sign-in/oidc/back"
_LOG = logging.getLogger("scantrail.server")
_AGAIN = 3600 * SECOND
_LONGEST = 256 * 1024
_PATIENCE = aiohttp.ClientTimeout(total=10)
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_GOOD = 200
_MOST_SECRET = 10_000


class SignInError(ScantrailError):
    """Nobody is signed in; the text is for the person, the log says more."""


class Visitor(msgspec.Struct, frozen=True, kw_only=True):
    """Who came back, and what he may do."""

    name: str
    role: Role


class _Described(msgspec.Struct, kw_only=True):
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str


class _Exchanged(msgspec.Struct, kw_only=True):
    id_token: str


class _Keys(msgspec.Struct, kw_only=True):
    keys: list[dict[str, Any]]


def available() -> bool:
    """Whether what it takes is installed."""
    return importlib.util.find_spec("joserfc") is not None


class Provider:
    """One identity provider.

    Raises:
        StartError: The settings cannot be used, or the extra is not installed.
    """

    def __init__(self, settings: OidcSettings, now: Callable[[], int]) -> None:
        if not available():
            reason = "[oidc] needs an extra: pip install 'scantrail[oidc]'"
            raise StartError(reason)
        _check(settings)
        self.settings = settings
        self._secret = _secret(settings.secret_file)
        self._now = now
        self._known: tuple[_Described, list[dict[str, Any]]] | None = None
        self._read_at = 0

    async def leads_to(self, state: str, gone: Gone) -> str:
        """Return where somebody is sent to sign in.

        Raises:
            SignInError: The provider cannot be asked.
        """
        described, _ = await self._provider()
        query = urlencode(
            {
                "response_type": "code",
                "client_id": self.settings.client_id,
                "redirect_uri": self.settings.address + BACK,
                "scope": "openid profile",
                "state": state,
                "nonce": gone.nonce,
                "code_challenge": gone.challenge,
                "code_challenge_method": "S256",
            }
        )
        joint = "&" if "?" in described.authorization_endpoint else "?"
        return f"{described.authorization_endpoint}{joint}{query}"

    async def visitor(self, code: str, issuer: str, gone: Gone) -> Visitor:
        """Return who came back with a code.

        Args:
            code: What the provider gave him.
            issuer: Who says that he gave it (RFC 9207); empty where nobody says.
            gone: What was kept of him.

        Raises:
            SignInError: He is not let in.
        """
        described, keys = await self._provider()
        if issuer and issuer != described.issuer:
            why = "another issuer answered"
            raise _refused(why)
        token = await self._exchange(described, code, gone)
        said = self._said(token, keys, gone)
        if isinstance(said, str):  # its keys may be new
            _, keys = await self._provider(anew=True)
            said = self._said(token, keys, gone)
        if isinstance(said, str):
            why = f"the ID token is not taken: {said}"
            raise _refused(why)
        name, role = said
        if role is None:
            _LOG.warning("%s came by OIDC and has no role here", ascii(name))
            reason = (
                f"{name} has no role here. An administrator of the provider gives it."
            )
            raise SignInError(reason)
        return Visitor(name=name, role=role)

    def _said(
        self, token: str, keys: list[dict[str, Any]], gone: Gone
    ) -> tuple[str, Role | None] | str:
        """Return name and role of an ID token, or why it is not taken."""
        from server.oidc import tokens  # noqa: PLC0415 # an extra: only where it is used

        try:
            claims = tokens.checked(
                token, keys, self.settings, nonce=gone.nonce, now=self._now()
            )
            name = tokens.name_of(claims, self.settings)
        except tokens.TokenError as error:
            return str(error)
        return name, tokens.role_of(claims, self.settings)

    async def _exchange(self, described: _Described, code: str, gone: Gone) -> str:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.settings.address + BACK,
            "code_verifier": gone.verifier,
            "client_id": self.settings.client_id,
        }
        headers = {}
        if self._secret:  # RFC 6749, 2.3.1: percent-encoded before it is Basic
            both = (self.settings.client_id, self._secret)
            basic = ":".join(quote(part, safe="") for part in both).encode()
            headers["Authorization"] = f"Basic {base64.b64encode(basic).decode()}"
        found = await _ask("POST", described.token_endpoint, form, headers)
        return _read(found, _Exchanged).id_token

    async def _provider(
        self, *, anew: bool = False
    ) -> tuple[_Described, list[dict[str, Any]]]:
        """Return the provider's description and keys, those of the last hour."""
        now = self._now()
        if self._known is None or anew or now - self._read_at > _AGAIN:
            issuer = self.settings.issuer
            address = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
            described = _read(await _ask("GET", address), _Described)
            if described.issuer != issuer:
                why = f"it calls itself {described.issuer[:200]!a}"
                raise _refused(why)
            for one in (
                described.authorization_endpoint,
                described.token_endpoint,
                described.jwks_uri,
            ):
                if not _is_safe(one):
                    why = f"{one[:200]!a} is not encrypted"
                    raise _refused(why)
            keys = _read(await _ask("GET", described.jwks_uri), _Keys).keys
            self._known, self._read_at = (described, keys), now
        return self._known


def _check(settings: OidcSettings) -> None:
    missing = [
        name
        for name in ("client_id", "address", "roles")
        if not getattr(settings, name)
    ]
    if missing:
        reason = f"[oidc] has an issuer, and needs {' and '.join(missing)}, too"
        raise StartError(reason)
    for address in (settings.issuer, settings.address):
        if not _is_safe(address):
            reason = f"[oidc]: {address} is not encrypted; it has to be https://"
            raise StartError(reason)


def _is_safe(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme == "https" or (
        parts.scheme == "http" and parts.hostname in _LOOPBACK
    )


def _secret(path: str) -> str:
    if not path:
        return ""
    try:
        return Path(path).read_text("utf-8")[:_MOST_SECRET].strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = f"[oidc] secret_file {path} cannot be read: {error}"
        raise StartError(reason) from error


async def _ask(
    method: str,
    url: str,
    form: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """Ask the provider; redirects and cookies are not taken.

    Raises:
        SignInError: It does not answer as it should.
    """
    jar = aiohttp.DummyCookieJar()
    try:
        async with (
            aiohttp.ClientSession(timeout=_PATIENCE, cookie_jar=jar) as session,
            session.request(
                method, url, data=form, headers=headers, allow_redirects=False
            ) as answer,
        ):
            body = await answer.content.read(_LONGEST + 1)
            while len(body) <= _LONGEST and not answer.content.at_eof():
                body += await answer.content.read(_LONGEST + 1 - len(body))
            if answer.status != _GOOD or len(body) > _LONGEST:
                why = f"{_place(url)} answers with status {answer.status}"
                raise _refused(why)
            return body
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        why = f"{_place(url)}: {type(error).__name__}"
        raise _refused(why) from error


def _read(data: bytes, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(data, type=kind)
    except (ValueError, RecursionError) as error:
        why = f"what it answers is not as it should be: {error}"
        raise _refused(why) from error


def _place(url: str) -> str:
    return ascii(urlsplit(url).netloc[:200])


def _refused(why: str) -> SignInError:
    """Tell the log why, and return what the person is told."""
    _LOG.warning("signing in by OIDC failed: %s", why)
    return SignInError(
        "The identity provider's answer was not taken. Try again; where that does not "
        "help, the server's log says why."
    )
