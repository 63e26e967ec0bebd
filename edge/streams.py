"""What a command writes: its result to standard output, all else to standard error."""

import os
import sys

__all__ = ["let_go_of_output", "note", "result"]


def result(text: str) -> None:
    """Write what was asked for."""
    print(text, flush=True)  # noqa: T201 - what was asked for


def note(text: str) -> None:
    """Say something to the person."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - for the person


def let_go_of_output() -> None:
    """Write what is left; where nobody reads it any more, say nothing of it."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
