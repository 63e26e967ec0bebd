"""The server's settings: a TOML file, then the command line."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec

from server.site import Site
from server.site_settings import ActionSettings, SettingError
from server.site_settings import site as site_of
from shared.errors import ConfigError
from shared.settings_file import read_settings
from shared.toml_lines import line_of

__all__ = ["ServerConfig", "load"]


class ServerConfig(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """Every setting of the server, with its default.

    ``data``: the folder that holds everything; made where it is missing.
    ``host``, ``port``: where to listen; port 0 takes a free one.
    ``handoff_minutes``: how long what was picked may wait for somebody to take it over.
    ``code_minutes``: how long a one-time code lets a station join.
    ``requests_per_second``: what one address may ask in the long run; 0 is no limit.
    ``silent_seconds``: how long a station may say nothing before that is an exception.
    ``stale_hours``: by status, how long an item may stay in it.
    ``next_steps``: by status, the actions that are expected next.
    ``actions``: other words for the contract's statuses, and actions of the site's own.
    """

    data: str = "scantrail-data"
    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 8080
    handoff_minutes: Annotated[int, msgspec.Meta(ge=1, le=10_080)] = 30
    code_minutes: Annotated[int, msgspec.Meta(ge=1, le=10_080)] = 60
    requests_per_second: Annotated[int, msgspec.Meta(ge=0, le=100_000)] = 200
    silent_seconds: Annotated[int, msgspec.Meta(ge=30, le=604_800)] = 60
    stale_hours: dict[str, float] = {}
    next_steps: dict[str, tuple[str, ...]] = {}
    actions: dict[str, ActionSettings] = {}

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
    except SettingError as error:
        line = line_of(path.read_text("utf-8"), error.path)
        raise ConfigError(str(path), line, str(error)) from None
    return config
