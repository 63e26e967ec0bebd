"""Who may ask: the station's own page in a browser on this machine. Pure.

Loopback alone is no protection: any web page that a browser on this machine opens can
send requests here. So:

- ``Host`` has to name loopback and this port. A name that an attacker's DNS points
  here (DNS rebinding) is another name.
- ``Sec-Fetch-Site``, where a browser sends it, has to say that the request comes from
  this very page, or from the address bar.
- What changes something needs an ``Origin`` that is this page's, a content type that
  no form can send, and the token of this run, which only this page can read.
"""

import hmac
from collections.abc import Mapping

__all__ = ["refusal", "refused_touch"]

_NAMES = ("127.0.0.1", "localhost", "[::1]")
_OWN = frozenset({"same-origin", "none"})


def refusal(headers: Mapping[str, str], port: int) -> str:
    """Say why a request is not answered; empty where it is."""
    host = headers.get("Host", "").lower()
    if host not in {f"{name}:{port}" for name in _NAMES}:
        return "the Host header does not name this station's screen"
    if headers.get("Sec-Fetch-Site", "none").lower() not in _OWN:
        return "another web page asked"
    return ""


def refused_touch(headers: Mapping[str, str], said: str, token: str) -> str:
    """Say why a touch is not obeyed; empty where it is.

    Args:
        headers: The request's, which ``refusal`` has let through.
        said: The token in the request.
        token: The token of this run.
    """
    if headers.get("Origin", "").lower() != f"http://{headers['Host'].lower()}":
        return "the Origin header does not name this station's screen"
    if headers.get("Content-Type", "").partition(";")[0].strip() != "application/json":
        return "the body is not JSON"
    if not hmac.compare_digest(said.encode(errors="replace"), token.encode()):
        return "the token is not that of this run; load the page again"
    return ""
