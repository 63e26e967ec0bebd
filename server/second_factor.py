"""A second factor beside the password: codes that change each half minute (RFC 6238).

And codes to get back in by, where the device that makes those is lost. The only module
that imports pyotp.
"""

import re
import secrets
from collections.abc import Sequence
from hashlib import sha256

import pyotp

from shared.moments import SECOND

__all__ = [
    "address",
    "as_secret",
    "fresh",
    "matching_step",
    "recovery_codes",
    "recovery_hash",
]

_ISSUER = "Scantrail"
_PERIOD = 30 * SECOND
_DRIFT = (0, -1, 1)
"""Steps that a device's clock may be off."""
_SECRET = re.compile(r"[A-Z2-7]{32}")
_CODE = re.compile(r"[0-9]{6}")
_ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"  # without I, L, O, 0, 1
_RECOVERIES, _GROUPS, _GROUP = 8, 6, 4  # 118 random bits each


def fresh() -> str:
    """Make a secret: 160 random bits, in base32."""
    return pyotp.random_base32(32)


def as_secret(text: str) -> str:
    """Return a secret that came back from a page; empty where it is none."""
    return text if _SECRET.fullmatch(text) else ""


def address(secret: str, name: str) -> str:
    """Return what an authenticator reads from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=_ISSUER)


def matching_step(secret: str, code: str, now: int, used: int) -> int | None:
    """Return which half minute a code is of; ``None`` where it does not hold.

    Args:
        secret: The secret.
        code: As it was typed.
        now: The present, in microseconds since 1970.
        used: The latest step whose code was taken: it, and those before, hold no more.
    """
    typed = code.replace(" ", "")
    if not _CODE.fullmatch(typed):
        return None
    made = pyotp.TOTP(secret)
    for drift in _DRIFT:
        step = now // _PERIOD + drift
        if step > used and secrets.compare_digest(made.generate_otp(step), typed):
            return step
    return None


def recovery_codes() -> list[str]:
    """Make codes that work once each, instead of the device."""
    return ["-".join(_group() for _ in range(_GROUPS)) for _ in range(_RECOVERIES)]


def _group() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(_GROUP))


def recovery_hash(code: str, known: Sequence[str] = ()) -> str:
    """Return what is kept of a code; of a typed one only if it is among ``known``."""
    plain = "".join(c for c in code.upper() if c in _ALPHABET)
    found = sha256(plain.encode()).hexdigest()
    return found if not known or found in known else ""
