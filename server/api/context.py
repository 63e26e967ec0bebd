"""What handlers work with; set once, when the app is made."""

from collections.abc import Callable
from pathlib import Path

import msgspec
from aiohttp import web

from server.config import ServerConfig, Webhook
from server.keys import Keys
from server.oidc.pending import Pending
from server.oidc.provider import Provider
from server.own_log import OwnLog
from server.people import People, Role
from server.reference import ReferenceData
from server.sessions import Sessions
from server.site import Site
from server.station_exceptions import SILENT_LIMIT
from server.store import Store

__all__ = ["CONTEXT", "Context"]


class Context(msgspec.Struct, kw_only=True):
    """The server's parts. ``now`` is in microseconds since 1970.

    ``zone`` and ``language`` are the console's; empty for the machine's zone, and for
    the language that the browser asks for. ``fingerprint`` is of a certificate that no
    authority knows, so that stations have to be told of it; mostly empty. ``oidc`` is
    the site's identity provider, ``pending`` who has gone there. ``config`` are the
    settings in force; ``None`` only where there are none, as in tests. ``plan`` is
    where the site's plan lies, if there is one. ``second_factor`` are the roles whose
    people need one.
    """

    store: Store
    keys: Keys
    people: People
    sessions: Sessions
    own: OwnLog
    reference: ReferenceData
    now: Callable[[], int]
    site: Site
    code_lifetime: int
    silent_limit: int = SILENT_LIMIT
    requests_per_second: int = 0
    webhooks: tuple[Webhook, ...] = ()
    zone: str = ""
    language: str = ""
    fingerprint: str = ""
    config: ServerConfig | None = None
    plan: Path | None = None
    oidc: Provider | None = None
    second_factor: frozenset[Role] = frozenset()
    pending: Pending = msgspec.field(default_factory=Pending)


CONTEXT: web.AppKey[Context] = web.AppKey("context", Context)
