"""Whether a station signed what is said to be its log. Pure."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from shared.chain import signed_message

__all__ = ["signed"]


def signed(
    public_key: bytes, signature: bytes, *, log: str, last: int, head: bytes
) -> bool:
    """Whether the key (Ed25519, RFC 8032) says: ``log`` up to ``last`` has ``head``."""
    try:
        key = Ed25519PublicKey.from_public_bytes(public_key)
        key.verify(signature, signed_message(log, last, head))
    except (InvalidSignature, ValueError):
        return False
    return True
