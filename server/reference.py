"""Reference data: what stations keep so that they can warn while offline.

Contract, section 3.4.
"""

from hashlib import sha256

import msgspec

from server.store import Store

__all__ = ["reference", "reference_tag"]


async def reference(store: Store) -> bytes:
    """Return the reference data as JSON: what every station keeps a copy of."""
    stations = await store.stations()
    places = sorted({s.location for s in stations if s.location is not None})
    return msgspec.json.encode({"locations": [{"location": p} for p in places]})


async def reference_tag(store: Store) -> str:
    """Return the ETag of the present reference data."""
    return f'"{sha256(await reference(store)).hexdigest()[:32]}"'
