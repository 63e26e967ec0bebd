"""``scantrail-server actions``: a site's table, and what it would change."""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from server.config import load
from server.now import now
from server.rulebook import actions_table
from server.site import Site
from server.store.sqlite import SqliteStore
from server.store.trial import Trial
from server.storing import address, driver_missing
from server.transfer import to_file
from server.trial import Difference
from shared.data_folders import ARCHIVE, DATABASE

__all__ = ["add_commands"]


def _print(text: str) -> None:
    print(text)  # noqa: T201 # the result


def _tell(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201 # about the result


def _quoted(text: str) -> str:
    """Write a key so that it is data on any terminal."""
    return text if text.isprintable() else repr(text)


def _written(difference: Difference) -> str:
    changes = "; ".join(
        f"{name} {_quoted(before) or '-'} -> {_quoted(after) or '-'}"
        for name, (before, after) in difference.fields.items()
    )
    return f"{_quoted(difference.item)}\t{changes}"


def actions(options: argparse.Namespace) -> None:
    """Print the table of actions, or what it would change."""
    config = load(options.config, {})
    if not options.check:
        _print(actions_table(config.site()).rstrip("\n"))
        return
    applied = load(options.applied, {})
    settings = applied.store if applied.store.url else config.store
    data = Path(options.data or config.data)
    if not settings.url:
        path = data / DATABASE
        _check(path, applied.site(), config.site(), options.examples)
        return
    with tempfile.TemporaryDirectory(prefix="scantrail-check-") as folder:
        path = Path(folder) / DATABASE
        with driver_missing():
            asyncio.run(_copied(address(settings), data, path, applied.site()))
        _check(path, applied.site(), config.site(), options.examples)


async def _copied(url: str, data: Path, path: Path, site: Site) -> None:
    """Copy what is on PostgreSQL into a file, with its answers."""
    await to_file(url, path, site, _tell, copy=True, archive=data / ARCHIVE)
    await (await SqliteStore.open(path, now, site)).close()


def _check(path: Path, old: Site, new: Site, examples: int) -> None:
    trial = Trial(path, now())
    try:
        again = len(trial.read_again(new))
        count = 0
        for difference in trial.differences(old, new):
            count += 1
            if count <= examples:
                _print(_written(difference))
        more = f"; {examples} of them above" if count > examples else ""
        _tell(
            f"{count} of {trial.items()} items would be answered otherwise{more}. "
            f"{again} lines that are quarantined would be understood. "
            "Nothing was changed: serve with this file to apply it."
        )
    finally:
        trial.close()


def add_commands(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> None:
    """Add ``actions`` to the program's commands."""
    add = commands.add_parser(
        "actions", help="print the table of actions, or what another would change"
    )
    add.add_argument("--config", type=Path, metavar="FILE", help="settings, in TOML")
    add.add_argument(
        "--check",
        action="store_true",
        help="show which items would be answered otherwise; changes nothing",
    )
    add.add_argument(
        "--applied",
        type=Path,
        metavar="FILE",
        help="the settings that the server has now; without, the contract's table",
    )
    add.add_argument("--data", metavar="DIR", help="the server's folder")
    add.add_argument(
        "--examples", type=int, default=20, metavar="N", help="how many to show"
    )
    add.set_defaults(run=actions)
