"""How often one address may do something: token buckets. Pure.

A bucket holds up to ``burst`` tokens and gains ``per_second``. Buckets that were not
used for longest are forgotten first: many addresses cost no more than ``most`` do. The
clock is a parameter.
"""

import ipaddress
from collections import OrderedDict

import msgspec

from shared.moments import SECOND

__all__ = ["Limiter", "client_address"]

_WHOLE = 1 - 1e-9  # a token, as far as floating point can tell
_SITE_BITS = 64
"""Of an IPv6 address: whoever has one has all that share these bits."""


class _Bucket(msgspec.Struct):
    level: float
    at: int


class Limiter:
    """One bucket for each address; moments are in microseconds."""

    def __init__(self, per_second: float, burst: int, most: int = 10_000) -> None:
        self._rate = per_second / SECOND
        self._burst = burst
        self._most = most
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def wait(self, address: str, now: int) -> float:
        """Return in how many seconds there is a token; 0 where there is one now."""
        bucket = self._buckets.get(address)
        if bucket is None:
            return 0.0
        level = self._level(bucket, now)
        return 0.0 if level >= _WHOLE else (1 - level) / self._rate / SECOND

    def take(self, address: str, now: int) -> float:
        """Take a token if there is one, and return what `wait` did before."""
        wait = self.wait(address, now)
        bucket = self._buckets.setdefault(address, _Bucket(float(self._burst), now))
        bucket.level, bucket.at = self._level(bucket, now), now
        if wait == 0:
            bucket.level -= 1
        self._buckets.move_to_end(address)
        if len(self._buckets) > self._most:
            self._buckets.popitem(last=False)
        return wait

    def _level(self, bucket: _Bucket, now: int) -> float:
        gained = max(0, now - bucket.at) * self._rate
        return min(float(self._burst), bucket.level + gained)


def client_address(peer: str, forwarded: str) -> str:
    """Return whose requests these are, as far as that can be known.

    Args:
        peer: The other end of the connection.
        forwarded: The header ``X-Forwarded-For``; it counts only from a proxy on this
            machine, and only its last part, which that proxy wrote.
    """
    found = _address(peer)
    if found is not None and found.is_loopback and forwarded:
        found = _address(forwarded.rpartition(",")[2].strip()) or found
    if found is None:
        return peer
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(
            ipaddress.IPv6Network((int(found) >> _SITE_BITS << _SITE_BITS, _SITE_BITS))
        )
    return str(found)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
