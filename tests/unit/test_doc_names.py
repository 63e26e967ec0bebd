"""What the documentation names is there: files, modules, commands, and tests."""

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import edge.cli
import server.cli
import server.client.cli

TREE = Path(__file__).parents[2]
PAGES = [TREE / "README.md", *sorted((TREE / "docs").rglob("*.md"))]
FOLDERS = "edge|server|shared|tests|bench|systemd|packaging"
TARGETS = set(re.findall(r"^([a-z-]+):", (TREE / "Makefile").read_text(), re.MULTILINE))
FILES = sorted((TREE / "tests").rglob("*.py"))
TESTS = {path.stem for path in FILES} | {
    name for path in FILES for name in re.findall(r"def (test_\w+)", path.read_text())
}


def _commands(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from action.choices


COMMANDS = {
    "scantrail": set(_commands(server.client.cli._parser())),
    "scantrail-server": set(_commands(server.cli._parser())),
    "scantrail-station": set(_commands(edge.cli._parser())),
}
CALL = re.compile(r"(?:^|[`/])(scantrail(?:-\w+)?) ([a-z][a-z-]+)", re.MULTILINE)
MADE = {"bench/results"}  # by `make bench`


def _code(text: str) -> str:
    """Return what a page sets as code, in a line or as lines."""
    return "\n".join(re.findall(r"```.*?```|`[^`\n]+`", text, re.DOTALL))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(TREE)))
def test_what_a_page_names_is_there(page: Path) -> None:
    text = page.read_text()
    for path in re.findall(rf"`((?:{FOLDERS})/[\w./-]*\w)`", text):
        named = TREE / path
        there = named.exists() or named.with_name(f"{named.name}.py").exists()
        assert there or path in MADE, path
    code = _code(text)
    for target in re.findall(r"(?:^|`)make ([a-z][a-z-]*)", code, re.MULTILINE):
        assert target in TARGETS, target
    for test in re.findall(r"\b(test_\w+)", code):
        assert any(name.startswith(test) for name in TESTS), test
    for program, command in CALL.findall(code):
        if program in COMMANDS:
            assert command in COMMANDS[program], (program, command)
