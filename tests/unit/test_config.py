"""The station's configuration: what it may say, and the file that describes it."""

import re
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from edge.config import (
    FILE,
    Config,
    DisplaySettings,
    LabelSettings,
    PatternSettings,
    WorkflowSettings,
    load,
    rules,
    site,
)
from edge.config_example import example
from edge.scanners.settings import (
    ScannerSettings,
    SerialSettings,
    TerminalSettings,
)
from edge.workflow import Badges, Mode, Rules, Where
from shared.errors import ConfigError
from shared.keys import Kind, Role, parse
from shared.settings_example import descriptions
from shared.settings_file import parse_settings


def _config(text: str) -> Config:
    return parse_settings(text, FILE, Config)


def test_a_station_needs_no_configuration(tmp_path: Path) -> None:
    assert load(None, tmp_path) == Config()


def test_the_file_in_the_data_folder_is_found(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text('[workflow]\nstart = "receive"\n')
    assert load(None, tmp_path).workflow.start == "receive"


def test_a_file_that_is_named_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        load(tmp_path / "other.toml", tmp_path)


def test_scanners_are_tables_of_their_kinds() -> None:
    config = _config(
        '[[scanner]]\nkind = "serial"\nport = "/dev/ttyUSB0"\n'
        '[scanner.framing]\nterminators = ["CR"]\n[[scanner]]\nkind = "terminal"\n'
    )
    first, second = config.scanner
    assert isinstance(first, SerialSettings)
    assert first.framing.terminators == ("CR",)
    assert second == TerminalSettings()


def test_the_workflows_rules_come_from_it() -> None:
    config = _config(
        '[workflow]\nstart = "store"\nallow = ["STORE", "UNDO"]\nbadges = "off"\n'
        "forget_item_s = 5\nbounce_ms = 0\n"
        '[workflow.mode.quarantine]\naction = "store"\nwhere = "known"\n'
    )
    made = rules(
        config.workflow, enrolled_at="DOCK-1", scanners=[TerminalSettings(name="tty")]
    )
    assert made.resting == "store"
    assert made.commands == frozenset({"STORE", "UNDO"})
    assert made.badges is Badges.OFF
    assert (made.forget_item, made.bounce) == (5_000_000, 0)
    assert made.modes["quarantine"] == Mode(action="store", where=Where.KNOWN)
    assert made.location == "DOCK-1"
    assert made.typed == {"tty"}


def test_its_defaults_are_those_of_the_workflow() -> None:
    assert msgspec.structs.replace(rules(WorkflowSettings()), modes={}) == (
        msgspec.structs.replace(Rules(), modes={})
    )


def test_where_the_station_is_can_be_set_here() -> None:
    config = _config('[workflow]\nlocation = "DOCK-2"')
    assert rules(config.workflow, enrolled_at="DOCK-1").location == "DOCK-2"


def test_the_sites_own_codes_are_items() -> None:
    config = _config('[[labels.item]]\npattern = "BOX#{4}"\nrole = "container"')
    key = parse("BOX0042", site(config.labels))
    assert (key.kind, key.role) == (Kind.ITEM, Role.CONTAINER)


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("[workflow]\nsart = 1", 2, "workflow: 'sart' is no setting; do you mean"),
        ('[workflow]\nstart = "sea"', 1, "workflow: start is 'sea'; expected one of"),
        ('[workflow]\nallow = ["FLY"]', 1, "allow names 'FLY'; expected some of"),
        (
            '[workflow]\nbadges = "of"',
            2,
            "workflow.badges: 'of' is no choice; do you mean",
        ),
        (
            '[display]\nkiosk = "on"',
            2,
            "display.kiosk: 'on' is no choice; expected a whole number without quotes",
        ),
        ("[display]\nkiosk = true", 2, "display.kiosk: true is no choice; expected a"),
        ("[workflow]\n\nrepeat_s = -1", 3, "workflow.repeat_s: expected a whole"),
        (
            '[workflow.mode.undo]\naction = "see"',
            1,
            "workflow: a mode cannot be called 'undo'",
        ),
        (
            '[workflow.mode.box]\naction = "pack"',
            1,
            "workflow.mode.box: pack needs a container",
        ),
        (
            '[workflow.mode.lost]\naction = "miss"',
            1,
            "workflow.mode.lost: miss needs a location",
        ),
        (
            '[workflow.mode.x]\naction = "void"',
            1,
            "workflow.mode.x: void needs a voids",
        ),
        (
            '[workflow.mode.x]\naction = "see"\ninto = "parcel"',
            1,
            "workflow.mode.x: into is container or load",
        ),
        ('[[labels.item]]\npattern = "{"', 1, "labels.item[1]: pattern '{'"),
        ('[labels]\ncarriers = ["Nobody"]', 1, "labels: carriers names 'Nobody'"),
        ('[[scanner]]\nkind = "seriel"', 2, "do you mean 'serial'?"),
        ('[[scanner]]\nkind = "serial"', 1, "scanner[1]: missing: 'port'"),
        (
            '[[scanner]]\nkind = "serial"\nport = "/dev/x"\nbaud = "9600"',
            4,
            "scanner[1].baud: expected a whole number, got text in quotes",
        ),
        (
            '[[scanner]]\nkind = "serial"\nport = "/x"\n[scanner.framing]\nx = 1\n',
            5,
            "scanner[1].framing: 'x' is no setting; there are: idle_gap_ms",
        ),
    ],
)
def test_a_mistake_is_named_by_file_line_and_what_was_expected(
    text: str, line: int, reason: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        _config(text)
    assert (caught.value.source, caught.value.line) == (FILE, line)
    assert reason in caught.value.text


# The file that describes it

_TYPES = [
    Config,
    WorkflowSettings,
    LabelSettings,
    PatternSettings,
    DisplaySettings,
    Mode,
    *get_args(ScannerSettings),
]


@pytest.mark.parametrize("type_", _TYPES)
def test_every_setting_is_described(type_: type[msgspec.Struct]) -> None:
    described = descriptions(type_)
    for field in msgspec.structs.fields(type_):
        assert described[field.name].endswith("."), field.name


def test_the_example_says_nothing_but_the_defaults() -> None:
    assert _config(example()) == Config()


def test_the_example_is_right_once_its_settings_are_taken_up() -> None:
    text = re.sub(r"^# (?=\w+ = (?!…)|\[)", "", example(), flags=re.MULTILINE)
    text = re.sub(r"^# port = …", 'port = "/dev/ttyX"', text, flags=re.MULTILINE)
    text = re.sub(r"^# path = …", 'path = "1234:5678"', text, flags=re.MULTILINE)
    for kind in ("tcp", "listen"):
        head, _, tail = text.partition(f'kind = "{kind}"')
        tail = tail.replace('port = "/dev/ttyX"', "port = 4001", 1)
        tail = tail.replace("# host = …", 'host = "10.0.0.1"', 1)
        text = f'{head}kind = "{kind}"{tail}'
    config = _config(text)
    assert [type(scanner) for scanner in config.scanner] == list(
        get_args(ScannerSettings)
    )
    assert config.workflow.mode == {"quarantine": Mode(action="store")}
    assert msgspec.structs.replace(config.workflow, mode={}) == WorkflowSettings()
    assert config.display == DisplaySettings()
