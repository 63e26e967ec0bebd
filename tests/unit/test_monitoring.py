"""Dashboard and alerts: every figure in them is one that the server has."""

import json
import re
from pathlib import Path

import pytest

from edge.figures import NAMES
from server.metrics import Metrics

FOLDER = Path(__file__).parents[2] / "docs" / "monitoring"
DASHBOARD = FOLDER / "grafana.json"
RULES = FOLDER / "scantrail-rules.yml"
_NAME = re.compile(r"\b(?:scantrail|process)_[a-z_]+\b")
_PARTS = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("",), "gauge": ("",)}


def figures() -> set[str]:
    """Return the names of all series that /metrics can have."""
    text = Metrics().text([], 0).decode()
    kinds = re.findall(r"^# TYPE (\S+) (\w+)$", text, re.MULTILINE)
    of_stations = {f"scantrail_station_{name}" for name in NAMES}
    return {f"{name}{part}" for name, kind in kinds for part in _PARTS[kind]} | (
        of_stations
    )


def dashboard() -> list[str]:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    return [target["expr"] for panel in panels for target in panel["targets"]]


def rules() -> list[str]:
    return re.findall(r"^ +expr: (.+)$", RULES.read_text(), re.MULTILINE)


@pytest.mark.parametrize("expression", [*dashboard(), *rules()])
def test_every_figure_that_is_asked_for_is_there(expression: str) -> None:
    asked = set(_NAME.findall(expression))
    assert asked or expression.startswith("up{")
    assert asked <= figures()


def test_every_figure_of_the_servers_own_is_shown_or_watched() -> None:
    told = " ".join([*dashboard(), *rules()])
    ours = {name for name in figures() if name.startswith("scantrail_")}
    unseen = {name for name in ours if name not in told}
    assert {re.sub(r"_(sum|count|created)$", "", name) for name in unseen} <= {
        "scantrail_request_seconds",
        "scantrail_webhook_position",
        *(f"scantrail_station_{name}" for name in NAMES),
    } | {name.removesuffix("_created") for name in ours if name.endswith("_created")}


def test_every_alert_says_what_it_means_and_how_urgent_it_is() -> None:
    parts = RULES.read_text().split("- alert: ")[1:]
    assert len(parts) == len(rules())
    for part in parts:
        assert re.search(r"severity: (page|ticket)", part)
        assert re.search(r"summary: .+\n +description: .+", part)


def test_no_two_panels_have_one_place() -> None:
    places = [
        (panel["gridPos"]["x"], panel["gridPos"]["y"])
        for panel in json.loads(DASHBOARD.read_text())["panels"]
    ]
    assert len(set(places)) == len(places)
