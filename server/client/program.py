"""What programs that ask a server have in common: whom they ask, and how they end."""

import argparse
import os
import sys
from collections.abc import Callable

from server.client.api import described
from shared.errors import ScantrailError

__all__ = ["finished", "to_server"]


def to_server(parser: argparse.ArgumentParser, key: str) -> None:
    """Let a command be told the server, and a key.

    Args:
        parser: The command's.
        key: What key it has to be.
    """
    for name, what in (("server", "its address"), ("key", key)):
        variable = f"SCANTRAIL_{name.upper()}"
        parser.add_argument(
            f"--{name}",
            default=os.environ.get(variable, ""),
            help=f"{what} (or {variable})",
        )


def finished(program: str, do: Callable[[], object]) -> int:
    """Do what was asked for; return 0 only where that was done."""
    try:
        do()
    except ScantrailError as error:
        print(f"{program}: {described(error)}", file=sys.stderr)  # noqa: T201
        return 1
    except BrokenPipeError:  # whoever read it has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
    return 0
