"""Whether a station signed what is said to be its own. Pure."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from shared.chain import signed_message, token_message

__all__ = ["signed", "signed_token"]


def signed(
    public_key: bytes, signature: bytes, *, log: str, last: int, head: bytes
) -> bool:
    """Whether the key (Ed25519, RFC 8032) says: ``log`` up to ``last`` has ``head``."""
    return _verified(public_key, signature, signed_message(log, last, head))


def signed_token(
    public_key: bytes, signature: bytes, *, station: str, token_hash: str
) -> bool:
    """Whether the key says: the next token of ``station`` has this hash."""
    return _verified(public_key, signature, token_message(station, token_hash))


def _verified(public_key: bytes, signature: bytes, message: bytes) -> bool:
    try:
        key = Ed25519PublicKey.from_public_bytes(public_key)
        key.verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
