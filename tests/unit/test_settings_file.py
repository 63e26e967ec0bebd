"""A wrong configuration: the file, the line, what was expected."""

from enum import Enum
from pathlib import Path
from typing import Annotated

import msgspec
import pytest

from shared.errors import ConfigError
from shared.settings_file import parse_settings, read_secret, read_settings
from shared.toml_lines import line_of


class Colour(Enum):
    RED = "red"
    GREEN = "green"


class Lamp(msgspec.Struct, frozen=True, tag_field="kind", tag="lamp"):
    watt: Annotated[int, msgspec.Meta(ge=1)] = 1


class Fan(msgspec.Struct, frozen=True, tag_field="kind", tag="fan"):
    speed: float


class Room(msgspec.Struct, frozen=True):
    name: str
    colour: Colour = Colour.RED

    def __post_init__(self) -> None:
        if self.name == "void":
            reason = "a room cannot be void"
            raise ValueError(reason)


class House(msgspec.Struct, frozen=True):
    floors: int = 1
    heated: bool = True
    door: Room | None = None
    device: tuple[Lamp | Fan, ...] = ()
    room: dict[str, Room] = {}


def test_what_is_right_is_a_value() -> None:
    house = parse_settings(
        '[[device]]\nkind = "fan"\nspeed = 2\n[room.k]\nname = "K"\ncolour = "green"\n',
        "h.toml",
        House,
    )
    assert house.device == (Fan(speed=2.0),)
    assert house.room == {"k": Room(name="K", colour=Colour.GREEN)}


MISTAKES = [
    ("flors = 2\n", 1, "'flors' is no setting; do you mean 'floors'?"),
    ("\n\nzzz = 2", 3, "'zzz' is no setting; there are: device, door, floors, heated"),
    ('floors = "two"', 1, "floors: expected a whole number, got text in quotes"),
    ("heated = 1", 1, "heated: expected true or false, got a whole number"),
    ("# x\ndevice = 3", 2, "device: expected a list, got a whole number"),
    (
        '[[device]]\nkind = "lamp"\n\n[[device]]\nkind = "lamp"\nwatt = 0\n',
        6,
        "device[2].watt: expected a whole number >= 1",
    ),
    (
        '[[device]]\nkind="lamb"',
        2,
        "device[1].kind: 'lamb' is no choice; do you mean 'lamp'?",
    ),
    ("[[device]]\nwatt=1", 1, "device[1]: kind is missing; expected one of fan, lamp"),
    ('[[device]]\nkind="fan"', 1, "device[1]: missing: 'speed'"),
    (
        '[room.k]\nname = "K"\n[room."l m"]\ncolour = "red"',
        3,
        "room.l m: missing: 'name'",
    ),
    (
        '[room]\nk = { name = "K" }\nl = { name = "L", colour = "reed" }',
        3,
        "room.l.colour: 'reed' is no choice; do you mean 'red'?",
    ),
    ('[room.k]\nname = "void"', 1, "room.k: a room cannot be void"),
    ("[room]\nk = 3", 2, "room.k: expected a table"),
    ('floors = 1\nheated = "', 2, "not TOML"),
    ("floors = 1\nfloors = 2\n", 2, "not TOML"),
    ("[room", 1, "not TOML"),
]


@pytest.mark.parametrize(("text", "line", "reason"), MISTAKES)
def test_a_mistake_is_named_by_its_line(text: str, line: int, reason: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_settings(text, "h.toml", House)
    error = caught.value
    assert (error.source, error.line) == ("h.toml", line)
    assert reason in error.text


def test_a_line_is_found_behind_values_of_many_lines() -> None:
    text = 'a = [\n  1,\n  # ] x = 1\n]\nb = """\n[c]\nd = 1\n"""\n[c]\nd.e = 2\n'
    assert line_of(text, ("a",)) == 1
    assert line_of(text, ("b",)) == 5
    assert line_of(text, ("c", "d", "e")) == 10
    assert line_of(text, ("c", "d", "e", 4)) == 10
    assert line_of(text, ("x",)) == 0


def test_tables_in_lists_are_told_apart() -> None:
    text = "[[a]]\nx=1\n[a.b]\ny=1\n[[a]]\n[a.b]\ny=2\n[[a.c]]\n[[a.c]]\nz=1\n"
    assert line_of(text, ("a", 0, "b", "y")) == 4
    assert line_of(text, ("a", 1, "b", "y")) == 7
    assert line_of(text, ("a", 1, "c", 1, "z")) == 10


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "h.toml"
    path.write_text("floors = 3\n")
    assert read_settings(path, House) == House(floors=3)


def test_a_file_that_is_not_there_or_no_text_is_said(tmp_path: Path) -> None:
    path = tmp_path / "h.toml"
    with pytest.raises(ConfigError, match=r"h\.toml: No such file"):
        read_settings(path, House)
    path.write_bytes(b"floors = 1\n# \xff\n")
    with pytest.raises(ConfigError, match=r"h\.toml:2: not UTF-8"):
        read_settings(path, House)
    path.write_bytes(b"#" * (1024 * 1024 + 1))
    with pytest.raises(ConfigError, match="longer than"):
        read_settings(path, House)


def test_a_secret_comes_from_the_environment_a_file_or_a_credential(
    tmp_path: Path,
) -> None:
    (tmp_path / "scantrail.code").write_text("c\n")
    (tmp_path / "own").write_text("b\n")
    credential = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    file = {**credential, "SCANTRAIL_CODE_FILE": str(tmp_path / "own")}
    assert read_secret("code", {}) is None
    assert read_secret("other", credential) is None
    assert read_secret("code", credential) == "c"
    assert read_secret("code", file) == "b"
    assert read_secret("code", {**file, "SCANTRAIL_CODE": "a "}) == "a"


def test_a_secrets_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    environ = {"SCANTRAIL_CODE_FILE": str(tmp_path / "gone")}
    with pytest.raises(ConfigError, match="gone: No such file"):
        read_secret("code", environ)
