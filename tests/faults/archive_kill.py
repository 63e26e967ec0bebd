"""`scantrail-server archive`, killed at the Nth thing that it does to disk or database.

`python -m tests.faults.archive_kill N DATABASE-ARGUMENTS…`
"""

import os
import signal
import sqlite3
import sys
from collections.abc import Callable
from typing import Any

from server.cli import main
from server.store.parquet import Writer
from server.store.postgres.database import Database
from shared import files


class _Steps:
    def __init__(self, left: int) -> None:
        self.left = left

    def step(self, *_: object) -> None:
        self.left -= 1
        if self.left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*given: Any, **named: Any) -> Any:  # noqa: ANN401 # whatever it is
            self.step()
            found = function(*given, **named)
            self.step()
            return found

        return counted


def _begin(steps: _Steps) -> None:
    connect = sqlite3.connect

    def traced(*given: Any, **named: Any) -> sqlite3.Connection:  # noqa: ANN401
        connection: sqlite3.Connection = connect(*given, **named)
        connection.set_trace_callback(steps.step)
        return connection

    sqlite3.connect = traced  # type: ignore[assignment]
    for name in ("do", "rows"):
        setattr(Database, name, steps.around(getattr(Database, name)))
    files.settle = steps.around(files.settle)
    setattr(Writer, "add", steps.around(Writer.add))  # noqa: B010 # mypy


if __name__ == "__main__":
    _begin(_Steps(int(sys.argv[1])))
    sys.exit(main(sys.argv[2:]))
