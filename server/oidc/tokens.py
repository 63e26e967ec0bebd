"""What an ID token says, once it is shown to be the provider's. Imports joserfc alone.

OpenID Connect Core 1.0, section 3.1.3.7.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from server.oidc.settings import OidcSettings
from server.people import MOST_NAME, Role
from shared.moments import SECOND

__all__ = ["ALGORITHMS", "TokenError", "checked", "name_of", "role_of"]

ALGORITHMS = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "Ed25519", "EdDSA"),
)
"""Signatures with a public key alone: ``none`` and shared secrets are not taken."""
_KINDS = ("RSA", "EC", "OKP")
_LEEWAY = 60  # seconds that two clocks may differ


class TokenError(Exception):
    """An ID token that is not taken; the text says why, for the log."""


def checked(
    token: str,
    keys: Sequence[Mapping[str, Any]],
    settings: OidcSettings,
    *,
    nonce: str,
    now: int,
) -> Mapping[str, Any]:
    """Return the claims of an ID token.

    Args:
        token: As it came from the token endpoint.
        keys: The provider's public keys, as JWK.
        settings: Whose token it has to be, and for whom.
        nonce: What was sent along for this one sign-in.
        now: The present, in microseconds since 1970.

    Raises:
        TokenError: It is not what it has to be.
    """
    registry = jwt.JWTClaimsRegistry(
        now=now // SECOND,
        leeway=_LEEWAY,
        iss={"essential": True, "value": settings.issuer},
        aud={"essential": True, "value": settings.client_id},
        sub={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
        nonce={"essential": True, "value": nonce},
    )
    try:
        known: Any = {"keys": [dict(key) for key in keys if _signs(key)]}
        found = jwt.decode(token, KeySet.import_key_set(known), list(ALGORITHMS))
        registry.validate(found.claims)
    except (JoseError, ValueError, TypeError, KeyError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise TokenError(reason) from error
    claims: Mapping[str, Any] = found.claims
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if claims.get("azp", None if several else settings.client_id) != settings.client_id:
        reason = "it was given to another client (azp)"
        raise TokenError(reason)
    return claims


def _signs(key: Mapping[str, Any]) -> bool:
    return key.get("kty") in _KINDS and key.get("use", "sig") == "sig"


def name_of(claims: Mapping[str, Any], settings: OidcSettings) -> str:
    """Return what a person is called here: as there, and how he came.

    Raises:
        TokenError: There is no such name, or none that can be shown.
    """
    name = claims.get(settings.name_claim)
    suffix = f" ({settings.called})"
    if not isinstance(name, str) or not name.strip() or not name.isprintable():
        reason = f"it has no {settings.name_claim} that can be shown"
        raise TokenError(reason)
    return name.strip()[: MOST_NAME - len(suffix)] + suffix


def role_of(claims: Mapping[str, Any], settings: OidcSettings) -> Role | None:
    """Return the highest role that the claim stands for; None where it has none."""
    found: Any = claims
    for part in settings.role_claim.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    listed = [found] if isinstance(found, str) else found
    if not isinstance(listed, list):
        return None
    roles = {settings.roles.get(one) for one in listed if isinstance(one, str)}
    return next((role for role in reversed(Role) if role.value in roles), None)
