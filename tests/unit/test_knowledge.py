"""Where a station's knowledge comes from, and what cannot be read of it."""

from pathlib import Path

import msgspec
import pytest

from edge import reference
from edge.config import FILE, Config, load
from edge.health import OUTBOX
from edge.knowledge import configured, from_log, keep_told, settings_of
from edge.outbox import Outbox
from edge.reference import Copy
from edge.workflow import Badges, Check, Told
from shared.lines import Line
from shared.reference import KnownLoad, Reference, WantedItem


def _kept(data: Path, document: bytes) -> Copy:
    kept = reference.Reference(etag="e1", document=msgspec.Raw(document))
    reference.save(data, kept)
    return Copy(data)


def test_a_station_knows_at_once_what_it_was_told_before(tmp_path: Path) -> None:
    document = Reference(
        wanted=(WantedItem(item="P-1"),), loads=(KnownLoad(load="M-1", items=("P-2",)),)
    )
    told = Told()
    keep_told(told, _kept(tmp_path, msgspec.json.encode(document)))
    assert told.wanted("P-1")
    assert told.expected("M-1") == ("P-2",)


@pytest.mark.parametrize("document", [b"[]", b'{"wanted": 7}', b'{"loads": [{}]}'])
def test_a_document_that_cannot_be_read_leaves_what_was_known(
    tmp_path: Path, document: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    told = Told()
    told.update(Reference(wanted=(WantedItem(item="P-1"),)))
    keep_told(told, _kept(tmp_path, document))
    assert told.wanted("P-1")
    assert "cannot be read" in caplog.text


def test_fields_that_a_station_does_not_know_are_passed_over(tmp_path: Path) -> None:
    told = Told()
    keep_told(told, _kept(tmp_path, b'{"wanted": [{"item": "P-1", "x": 1}], "y": {}}'))
    assert told.wanted("P-1")


def _line(action: str, **fields: str) -> Line:
    return Line(seq=0, at="2026-04-24T03:06:40.000000Z", action=action, **fields)  # type: ignore[arg-type]


async def test_a_station_that_starts_knows_what_it_packed_before(
    tmp_path: Path,
) -> None:
    box = await Outbox.open(tmp_path / OUTBOX)
    try:
        await box.append([_line("pack", item=f"P-{n}", container="C-1") for n in "12"])
        (name,) = await box.append([_line("pack", item="P-3", container="C-1")])
        await box.append([_line("void", voids=name), _line("depart", item="P-9")])
        told = Told()
        await from_log(told, box)
    finally:
        await box.close()
    assert told.contents("C-1") == ("P-1", "P-2")
    assert told.gone("P-9")


# What the server sets


def _set(data: Path, settings: dict[str, object]) -> None:
    _kept(data, msgspec.json.encode(Reference(settings=settings)))


def test_what_the_file_does_not_say_the_server_may(tmp_path: Path) -> None:
    _set(
        tmp_path,
        {
            "workflow": {"start": "receive", "badges": "required"},
            "checks": {"not_expected": "refuse"},
        },
    )
    (tmp_path / FILE).write_text('[workflow]\nstart = "handoff"\n')
    config = configured(load(None, tmp_path), None, tmp_path)
    assert config.workflow.start == "handoff"
    assert config.workflow.badges is Badges.REQUIRED
    assert config.checks.not_expected is Check.REFUSE


def test_a_server_sets_nothing_of_the_machine(tmp_path: Path) -> None:
    _set(tmp_path, {"storage": {"ballast_mb": 0}, "scanner": [{"kind": "terminal"}]})
    assert configured(Config(), None, tmp_path) == Config()


@pytest.mark.parametrize(
    "settings",
    [
        {"workflow": {"start": "no-such-mode"}},
        {"workflow": {"strat": "pick"}},
        {"workflow": 7},
        {"checks": {"not_expected": "perhaps"}},
    ],
)
def test_settings_that_cannot_be_are_not_used_and_that_is_said(
    tmp_path: Path, settings: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    _set(tmp_path, settings)
    assert configured(Config(), None, tmp_path) == Config()
    assert "are not used" in caplog.text


def test_a_station_that_was_told_nothing_runs_with_its_own_settings(
    tmp_path: Path,
) -> None:
    assert configured(Config(), None, tmp_path) == Config()
    assert settings_of(None) == {}
    assert settings_of(_kept(tmp_path, b"[]").present) == {}
