"""The station's configuration: one frozen value, read from one TOML file.

Every field is described where it stands; ``edge.config_example`` writes a file with all
of them from these descriptions. What is secret (the token, the key) is not in here.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from edge.scanners.settings import ScannerSettings, TerminalSettings
from edge.stack_light import LightSettings
from edge.texts import Texts, read_texts
from edge.workflow import MODES, Badges, Checks, Mode, Rules
from shared.carriers import ISSUERS
from shared.commands import COMMANDS, REASONS
from shared.errors import ConfigError
from shared.keys import Role, Site, SitePattern
from shared.moments import SECOND
from shared.patterns import compile_pattern
from shared.settings_file import read_settings

__all__ = [
    "FILE",
    "Config",
    "DisplaySettings",
    "LabelSettings",
    "PatternSettings",
    "StorageSettings",
    "WorkflowSettings",
    "load",
    "rules",
    "site",
    "texts",
]

FILE = "station.toml"
"""The name of the file that is read from the data folder, where it is there."""

_Seconds = Annotated[int, msgspec.Meta(ge=1, le=7 * 24 * 3600)]
_Place = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
_LANGUAGE = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$"
_MODE_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,31}", re.ASCII)
_TEXTS = "texts"  # the folder with languages of the site's own
_CONTROLS = frozenset(COMMANDS) - {name.upper() for name in MODES} - set(REASONS)


class WorkflowSettings(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """What scans mean at this station.

    Attributes:
        start: The mode in which the station starts, and to which it falls back.
        allow: The commands that the station follows, without their X-, as in
            ["RECEIVE", "STORE", "UNDO"]. Empty: all.
        location: Where the station is, if that is not what it was enrolled with.
        badges: What pick and accept ask of a badge. off: nothing; asked: without one
            nobody becomes the holder; required: without one the scan is refused.
        forget_item_s: Seconds without a scan after which an item no longer waits for
            its place or container.
        forget_place_s: Seconds without a scan after which places and containers are
            closed.
        forget_mode_s: Seconds without a scan after which the station is back in its
            starting mode.
        forget_badge_s: Seconds without a scan after which the operator is badged out.
        bounce_ms: For how long the very same read again is the scanner's trembling, in
            milliseconds.
        repeat_s: For how long a scan that means the same again is a repeat, in seconds.
        sheet: A word that the commands of the site's own sheets end with: with "K7Q2",
            X-PICK.K7Q2 is followed and X-PICK is not. Empty: any label commands.
        reasons: The commands that close a list although something is missing.
        mode: Modes of the site's own, by name; X- and the name in capitals is the
            command.
    """

    start: str = "see"
    allow: Annotated[tuple[str, ...], msgspec.Meta(max_length=256)] = ()
    location: _Place | None = None
    badges: Badges = Badges.ASKED
    forget_item_s: _Seconds = 60
    forget_place_s: _Seconds = 600
    forget_mode_s: _Seconds = 900
    forget_badge_s: _Seconds = 1800
    bounce_ms: Annotated[int, msgspec.Meta(ge=0, le=60_000)] = 700
    repeat_s: Annotated[int, msgspec.Meta(ge=0, le=86_400)] = 30
    sheet: Annotated[str, msgspec.Meta(pattern=r"^[A-Z0-9]{0,16}$")] = ""
    reasons: Annotated[tuple[str, ...], msgspec.Meta(max_length=32)] = REASONS
    mode: dict[str, Mode] = {}

    def __post_init__(self) -> None:
        """Refuse names that are no mode and no command.

        Raises:
            ValueError: Which name, and what there is.
        """
        taken = _CONTROLS | {reason.upper() for reason in self.reasons}
        for name in self.mode:
            if not _MODE_NAME.fullmatch(name) or name.upper() in taken:
                reason = f"a mode cannot be called {name!r}; use a-z, 0-9, - and ."
                raise ValueError(reason)
        for name in self.reasons:
            free = name.lower() not in MODES and name not in _CONTROLS
            if not _MODE_NAME.fullmatch(name.lower()) or not name.isupper() or not free:
                reason = f"a reason cannot be called {name!r}; use A-Z, 0-9, - and ."
                raise ValueError(reason)
        if self.start not in self.modes:
            listed = ", ".join(sorted(self.modes))
            reason = f"start is {self.start!r}; expected one of {listed}"
            raise ValueError(reason)
        known = self.commands
        for command in self.allow:
            if command not in known:
                listed = ", ".join(sorted(known))
                reason = f"allow names {command!r}; expected some of {listed}"
                raise ValueError(reason)

    @property
    def modes(self) -> dict[str, Mode]:
        """The table of modes, with the site's own in it."""
        return {**MODES, **self.mode}

    @property
    def commands(self) -> frozenset[str]:
        """All commands that there are, without their X-."""
        modes = {name.upper() for name in self.modes}
        return _CONTROLS | modes | frozenset(self.reasons)


class PatternSettings(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    r"""Codes of the site's own that name items.

    Attributes:
        pattern: What the code looks like: # a digit, @ a letter, ? either, {4} or
            {4,6} so many times, as in "BOX#{4,6}".
        role: What such an item is: parcel, container, load, or unsaid.
    """

    pattern: str
    role: Role = Role.UNSAID

    def __post_init__(self) -> None:
        """Refuse what is no pattern.

        Raises:
            ValueError: What is wrong with it.
        """
        try:
            compile_pattern(self.pattern)
        except ConfigError as error:
            raise ValueError(str(error)) from error


class LabelSettings(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """Which labels name items, besides GS1's and our own.

    Attributes:
        carriers: The carriers that the site works with: their tracking numbers count
            also where they could be something else.
        item: Codes of the site's own.
    """

    carriers: Annotated[tuple[str, ...], msgspec.Meta(max_length=64)] = ()
    item: Annotated[tuple[PatternSettings, ...], msgspec.Meta(max_length=64)] = ()

    def __post_init__(self) -> None:
        """Refuse carriers whose numbers are not known.

        Raises:
            ValueError: Which one, and which are known.
        """
        for carrier in self.carriers:
            if carrier not in ISSUERS:
                listed = ", ".join(sorted(ISSUERS))
                reason = f"carriers names {carrier!r}; expected some of {listed}"
                raise ValueError(reason)


class DisplaySettings(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """How the station shows what became of a scan.

    Attributes:
        language: The language of the screen and the terminal: en, de, es, or the name
            of a file of the site's own, without its .toml, in the folder texts of the
            data folder.
        terminal: screen: a terminal shows the whole screen, and keeps it; lines: what
            became of each scan, one after another; auto: the screen, unless codes are
            typed in that terminal, or it is a dumb one or none.
        colour: auto: on a terminal, unless NO_COLOR is set; else always or never.
        bell: Ring the terminal's bell: once for good, twice for attention, three times
            for an error, four times for what is wanted.
        kiosk: The port on this machine at which the station serves its screen to a
            browser, as in 8090; off: none.
    """

    language: Annotated[str, msgspec.Meta(pattern=_LANGUAGE)] = "en"
    terminal: Literal["auto", "screen", "lines"] = "auto"
    colour: Literal["auto", "always", "never"] = "auto"
    bell: bool = True
    kiosk: Annotated[int, msgspec.Meta(ge=1, le=65_535)] | Literal["off"] = "off"


class StorageSettings(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """How this machine keeps scans.

    Attributes:
        journal: A folder on another disk or card, for a second copy of every line;
            scantrail-station recover reads it.
        retention_days: For how many days lines are kept that the server has in a
            checked backup. Others are never taken away.
        ballast_mb: How many MiB of the disk are kept aside, so that scans can still be
            saved when it is full.
    """

    journal: Annotated[str, msgspec.Meta(min_length=1)] | None = None
    retention_days: Annotated[int, msgspec.Meta(ge=1, le=36_500)] = 90
    ballast_mb: Annotated[int, msgspec.Meta(ge=0, le=1024)] = 16


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of it.

    Attributes:
        scanner: The scanners, if none are named on the command line.
        workflow: What scans mean.
        checks: What is done about scans that contradict what is known.
        labels: Which labels name items.
        display: How it is shown.
        light: A stack light.
        storage: How this machine keeps scans.
    """

    scanner: Annotated[tuple[ScannerSettings, ...], msgspec.Meta(max_length=16)] = ()
    workflow: WorkflowSettings = WorkflowSettings()
    checks: Checks = Checks()
    labels: LabelSettings = LabelSettings()
    display: DisplaySettings = DisplaySettings()
    light: LightSettings = LightSettings()
    storage: StorageSettings = StorageSettings()


def load(path: Path | None, data: Path) -> Config:
    """Read the configuration.

    Args:
        path: The file; ``None`` takes FILE in the data folder, where it is there.
        data: The data folder.

    Raises:
        ConfigError: The file, the line, and what was expected.
    """
    try:
        if path is None and not (data / FILE).exists():
            return Config()
    except OSError as error:
        reason = f"{error.strerror}; run it as the user whose folder it is"
        raise ConfigError(str(data / FILE), 0, reason) from error
    return read_settings(path or data / FILE, Config)


def texts(settings: DisplaySettings, data: Path) -> Texts:
    """Return the words that the station speaks.

    Raises:
        ConfigError: There is no such language, or its file is not whole.
    """
    return read_texts(settings.language, data / _TEXTS)


def site(settings: LabelSettings) -> Site:
    """Return what the site says of labels, as ``shared.keys`` reads it."""
    patterns = (
        SitePattern(pattern=compile_pattern(row.pattern), role=row.role)
        for row in settings.item
    )
    return Site(patterns=tuple(patterns), carriers=frozenset(settings.carriers))


def rules(
    settings: WorkflowSettings,
    *,
    checks: Checks | None = None,
    enrolled_at: str | None = None,
    scanners: Iterable[ScannerSettings] = (),
) -> Rules:
    """Return the workflow's rules.

    Args:
        settings: What the configuration says.
        checks: What is done about scans that contradict what is known.
        enrolled_at: The location that the server gave to the station.
        scanners: What delivers the reads; what is typed is meant each time.
    """
    typed = (s.device for s in scanners if isinstance(s, TerminalSettings))
    return Rules(
        modes=settings.modes,
        resting=settings.start,
        commands=frozenset(settings.allow) or None,
        location=settings.location or enrolled_at,
        badges=settings.badges,
        checks=checks or Checks(),
        reasons=frozenset(settings.reasons),
        sheet=settings.sheet,
        typed=frozenset(typed),
        forget_item=settings.forget_item_s * SECOND,
        forget_place=settings.forget_place_s * SECOND,
        forget_mode=settings.forget_mode_s * SECOND,
        forget_badge=settings.forget_badge_s * SECOND,
        bounce=settings.bounce_ms * 1000,
        repeat=settings.repeat_s * SECOND,
    )
