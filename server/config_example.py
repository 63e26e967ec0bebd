"""The server's settings file with every setting in it, from their descriptions."""

from server.config import (
    ConsoleConfig,
    ServerConfig,
    StoreSettings,
    TlsSettings,
    Webhook,
)
from server.oidc.settings import OidcSettings
from server.site_settings import ActionSettings
from shared.settings_example import listed, settings, table

__all__ = ["example"]

_HEAD = """\
# The settings of a Scantrail server: scantrail-server serve --config FILE
#
# Every setting is here with its default, behind a #; take the # away to change it.
# An … stands for what only you can know; without it the setting is not there.
# `scantrail-server check-config FILE` says whether the file is right, and where not.
"""


_WEBHOOK = {
    "name": "shop",
    "url": "https://shop.example.org/scans",
    "secret_file": "/etc/scantrail/shop.secret",
}


def example() -> str:
    """Return the text of a TOML file that says nothing but the defaults."""
    parts = [
        _HEAD,
        "\n".join(settings(ServerConfig)) + "\n",
        table("tls", TlsSettings),
        table("console", ConsoleConfig),
        table("oidc", OidcSettings),
        table("store", StoreSettings),
        listed("[[webhooks]]", Webhook, _WEBHOOK),
        listed("[actions.quarantine]", ActionSettings, {"like": "store"}),
    ]
    return "\n".join(parts)
