"""Going on with the same server under another certificate, or another address.

A station that pins a certificate sends nothing to whoever shows another. Where the
certificate was replaced on purpose, a person vouches for the new one by its
fingerprint; the station stays who it is, and nothing has to be joined anew.
"""

from dataclasses import replace
from pathlib import Path

import msgspec

from edge import identity
from edge.answers import NoAnswer
from edge.identity import Identity
from edge.joining import server_url
from edge.uplink import Trust, look, pinned
from shared.errors import StartError
from shared.fingerprint import digest, split

__all__ = ["trust"]

_GOOD = 200


class _Alive(msgspec.Struct, kw_only=True):
    server: str = ""


async def trust(
    data: Path, text: str, *, insecure: bool = False, tls: Trust = None
) -> Identity:
    """Trust what a person vouches for, if the station's own server is there.

    Args:
        data: The station's data folder.
        text: A fingerprint, or an address with one behind its ``#``; an address alone
            is one whose certificate an authority knows.
        insecure: Take an address without TLS on another machine.
        tls: Whom to trust where no certificate is pinned.

    Raises:
        StartError: The station has not joined, the text cannot be used, nobody answers,
            or it is another server. Nothing was changed then.
    """
    me = identity.load(data)
    if me is None:
        reason = "this station has not joined a server; join one first"
        raise StartError(reason)
    url, mark = _read(text, me.url)
    url = server_url(url, insecure=insecure)
    answer = await look(url, tls=pinned(mark) or tls)
    if isinstance(answer, NoAnswer):
        reason = f"{answer.problem}. Nothing was changed"
        raise StartError(reason)
    try:
        alive = msgspec.json.decode(answer.body, type=_Alive)
    except (ValueError, RecursionError):
        alive = _Alive()
    if answer.status != _GOOD or alive.server != me.server:
        reason = (
            f"what answers at {url} is another server than the one that this station "
            "joined. Nothing was changed; to change servers, join with a code"
        )
        raise StartError(reason)
    found = replace(me, url=url, fingerprint=mark)
    identity.save(data, found)
    return found


def _read(text: str, url: str) -> tuple[str, str]:
    """Return the address and the fingerprint that a person typed."""
    try:
        if "://" in text:
            return split(text)
        return url, f"sha256:{digest(text).hex()}"
    except ValueError as error:
        raise StartError(str(error)) from error
