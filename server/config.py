"""The server's settings: a TOML file, then the command line."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from server.oidc.settings import OidcSettings
from server.people import Role
from server.site import Site
from server.site_settings import ActionSettings, SettingError
from server.site_settings import site as site_of
from shared.errors import ConfigError
from shared.settings_file import read_settings
from shared.toml_lines import line_of

__all__ = [
    "ConsoleConfig",
    "ServerConfig",
    "StoreSettings",
    "TlsSettings",
    "Webhook",
    "load",
]


_PORT = re.compile(r"(\[[^\]]*\]|[^:\[\]]*)(:[0-9]{1,5})?")
"""A host, and perhaps a port."""


class TlsSettings(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """How what is said to the server is encrypted.

    Attributes:
        mode: "off": plain HTTP, for loopback and for a proxy with TLS before it.
            "own": with a certificate that the server makes at its first start, in its
            data folder; stations join by its fingerprint. "files": with the
            certificate and key named here. A renewed file is taken without a restart.
        cert: The certificate, in PEM, followed by those between it and its authority.
        key: Its key, in PEM, without a passphrase. Where neither is named, they are
            systemd's credentials scantrail.tls-cert and scantrail.tls-key.
        names: What else the server is called, for the certificate that it makes.
    """

    mode: Literal["off", "own", "files"] = "off"
    cert: str = ""
    key: str = ""
    names: tuple[str, ...] = ()


class StoreSettings(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """Where events are kept.

    Attributes:
        url: Empty for a file in the data folder, which serves one server process;
            postgresql://USER@HOST/DATABASE for any number of them on one database.
        password_file: A file with the password for it, where one is needed.
    """

    url: str = ""
    password_file: str = ""


class Webhook(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A receiver of every event.

    Attributes:
        name: What it is called; under another name it begins at the end again.
        url: Where each event is posted to.
        secret_file: What its calls are signed with.
        actions: Only events of these; all of them where it is empty.
    """

    name: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_-]{1,40}$")]
    url: Annotated[str, msgspec.Meta(pattern=r"^https?://[^\s@]+$", max_length=2000)]
    secret_file: str
    actions: tuple[str, ...] = ()


class ConsoleConfig(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """What the pages for people look like.

    Attributes:
        zone: The site's zone, such as Europe/Berlin; empty for the machine's.
        language: Of all pages; empty for what each browser asks for.
        second_factor: Roles whose people need a second factor beside their password:
            viewer, operator, supervisor, administrator. Who has none yet can do nothing
            but set one up.
    """

    zone: str = ""
    language: str = ""
    second_factor: tuple[Role, ...] = ()


class ServerConfig(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """Every setting of the server, with its default.

    Attributes:
        data: The folder that holds everything; made where it is missing.
        host: The address to listen on; 0.0.0.0 is every address of this machine.
        port: The port to listen on; 0 takes a free one.
        handoff_minutes: How long what was picked may wait for somebody to take it over.
        code_minutes: How long a one-time code lets a station join.
        requests_per_second: What one address may ask in the long run; 0 is no limit.
        connections: How many a process holds at once; a station keeps one all day.
        connections_each: Of these from one address that is not this machine's. Stations
            behind one router or proxy share an address: more of them than this need
            more here, and in requests_per_second.
        announce: Tell the local network of this server, by multicast DNS, so that
            stations find it; needs the extra mdns.
        silent_seconds: How long a station may say nothing before that is an exception.
        stale_hours: By status, how long an item may stay in it.
        next_steps: By status, the actions that are expected next.
        webhooks: Who is told of every event.
        actions: Other words for the contract's statuses, and actions of the site's own.
        tls: How what is said to the server is encrypted.
        console: What the pages for people look like.
        oidc: By whose word people sign in, beside their passwords here.
        store: Where events are kept.
    """

    data: str = "scantrail-data"
    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 8080
    handoff_minutes: Annotated[int, msgspec.Meta(ge=1, le=10_080)] = 30
    code_minutes: Annotated[int, msgspec.Meta(ge=1, le=10_080)] = 60
    requests_per_second: Annotated[int, msgspec.Meta(ge=0, le=100_000)] = 200
    connections: Annotated[int, msgspec.Meta(ge=10, le=60_000)] = 2000
    connections_each: Annotated[int, msgspec.Meta(ge=10, le=60_000)] = 250
    announce: bool = False
    silent_seconds: Annotated[int, msgspec.Meta(ge=30, le=604_800)] = 60
    stale_hours: dict[str, float] = {}
    next_steps: dict[str, tuple[str, ...]] = {}
    webhooks: Annotated[tuple[Webhook, ...], msgspec.Meta(max_length=20)] = ()
    actions: dict[str, ActionSettings] = {}
    tls: TlsSettings = TlsSettings()
    console: ConsoleConfig = ConsoleConfig()
    oidc: OidcSettings = OidcSettings()
    store: StoreSettings = StoreSettings()

    def site(self) -> Site:
        """Return the site's rules.

        Raises:
            SettingError: Something in them cannot be; never after `load`.
        """
        return site_of(
            handoff_minutes=self.handoff_minutes,
            actions=self.actions,
            stale_hours=self.stale_hours,
            next_steps=self.next_steps,
        )


def load(path: Path | None, given: Mapping[str, Any]) -> ServerConfig:
    """Read the settings file, if one is named; what was given otherwise wins.

    Raises:
        ConfigError: Something in it cannot be used.
    """
    config = ServerConfig() if path is None else _read(path)
    try:
        return msgspec.convert(
            {**msgspec.structs.asdict(config), **given}, ServerConfig
        )
    except msgspec.ValidationError as error:
        source = "the command line"
        raise ConfigError(source, 0, str(error)) from error


def _read(path: Path) -> ServerConfig:
    config = read_settings(path, ServerConfig)
    try:
        config.site()
        _see_that_it_is_an_address(config.store.url)
    except SettingError as error:
        line = line_of(path.read_text("utf-8"), error.path)
        raise ConfigError(str(path), line, str(error)) from None
    return config


def _see_that_it_is_an_address(url: str) -> None:
    """See that a database's address is one; it may have a password, and is not told.

    Raises:
        SettingError: It is none.
    """
    if not url:
        return
    scheme, there, rest = url.partition("://")
    hosts = rest.partition("/")[0].partition("?")[0].rpartition("@")[2].split(",")
    ports = [_PORT.fullmatch(host) for host in hosts]
    if scheme not in {"postgresql", "postgres"} or not there:
        wrong = "is no address of a PostgreSQL database"
    elif not all(ports):
        wrong = "has a port that is no number"
    else:
        return
    reason = (
        f"{wrong}; expected postgresql://USER@HOST/DATABASE, or nothing for "
        "a file in the data folder"
    )
    raise SettingError(("store", "url"), reason)
