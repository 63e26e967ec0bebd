"""The chain of heads that makes a log's past unchangeable.

Contract, section 2: ``H(0) = SHA-256(log name)``, ``H(n) = SHA-256(H(n-1) || line n)``.
"""

from collections.abc import Iterable
from hashlib import sha256

__all__ = ["link", "signed_message", "start", "token_message", "walk"]


def start(log: str) -> bytes:
    """Return H(0), the head of a log (a lower-case UUID) that has no lines yet."""
    return sha256(log.lower().encode("ascii")).digest()


def link(head: bytes, line: bytes) -> bytes:
    """Return the head after one more line."""
    return sha256(head + line).digest()


def walk(head: bytes, lines: Iterable[bytes]) -> list[bytes]:
    """Return the heads before, between and after the lines: one more than lines."""
    heads = [head]
    for line in lines:
        head = sha256(head + line).digest()  # link(), without a call for each line
        heads.append(head)
    return heads


def signed_message(log: str, seq: int, head: bytes) -> bytes:
    """Return what a station signs to say: my log up to ``seq`` has this head."""
    return f"scantrail/1\n{log}\n{seq}\n{head.hex()}\n".encode("ascii")


def token_message(station: str, token_hash: str) -> bytes:
    """Return what a station signs to say: my next token has this SHA-256, in hex."""
    return f"scantrail/1/token\n{station}\n{token_hash}\n".encode()
