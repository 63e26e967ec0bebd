"""What handlers work with; set once, when the app is made."""

from collections.abc import Callable

import msgspec
from aiohttp import web

from server.config import Webhook
from server.keys import Keys
from server.own_log import OwnLog
from server.reference import ReferenceData
from server.site import Site
from server.station_exceptions import SILENT_LIMIT
from server.store import Store

__all__ = ["CONTEXT", "Context"]


class Context(msgspec.Struct, kw_only=True):
    """The server's parts. ``now`` is in microseconds since 1970."""

    store: Store
    keys: Keys
    own: OwnLog
    reference: ReferenceData
    now: Callable[[], int]
    site: Site
    code_lifetime: int
    silent_limit: int = SILENT_LIMIT
    requests_per_second: int = 0
    webhooks: tuple[Webhook, ...] = ()


CONTEXT: web.AppKey[Context] = web.AppKey("context", Context)
