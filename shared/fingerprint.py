"""A certificate's fingerprint: by it a station knows a server that no authority knows.

Written as ``sha256:`` and 64 hexadecimal digits, of the whole certificate in DER; it
may stand behind the ``#`` of a server's address, so that one text says both. Pure.
"""

import hashlib

__all__ = ["digest", "fingerprint", "split"]

_NAME = "sha256:"
_DIGITS = 64


def fingerprint(certificate: bytes) -> str:
    """Return the fingerprint of a certificate in DER."""
    return _NAME + hashlib.sha256(certificate).hexdigest()


def digest(text: str) -> bytes:
    """Read a fingerprint however it was typed, as openssl writes it, too.

    Raises:
        ValueError: It is none.
    """
    bare = text.strip().lower()
    for prefix in (_NAME, "sha256 fingerprint="):
        bare = bare.removeprefix(prefix)
    digits = bare.replace(":", "").replace(" ", "")
    if len(digits) != _DIGITS or not set(digits) <= set("0123456789abcdef"):
        reason = f"a fingerprint reads like {_NAME} and {_DIGITS} hexadecimal digits"
        raise ValueError(reason)
    return bytes.fromhex(digits)


def split(address: str) -> tuple[str, str]:
    """Return a server's address without its fingerprint, and the fingerprint.

    The fingerprint is as ``fingerprint`` writes it, or empty where there is none.

    Raises:
        ValueError: There is something else behind the ``#``, or the address is not one
            of TLS, where no certificate is shown.
    """
    url, mark, text = address.strip().partition("#")
    if mark and not url.startswith("https://"):
        reason = "a fingerprint needs an address with https://"
        raise ValueError(reason)
    return url, _NAME + digest(text).hex() if mark else ""
