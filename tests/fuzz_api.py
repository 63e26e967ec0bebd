"""``make fuzz-api``: schemathesis against a real server, from its own description."""

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.programs import Server, told

HOOKS = """
import schemathesis

@schemathesis.serializer("text/csv", "application/x-ndjson")
def plain(context, value):
    return str(value).encode("utf-8", "replace")
"""
"""How tables and lines are written into a body, as schemathesis wants to be told."""

SETTINGS = """
generation.database = "none"

# What is right of these depends on more than a schema can say: a cursor is opaque, a
# code has to be asked for, a table needs its columns, and no view is before another.
[[operations]]
include-path-regex = "^/v1/(enrol|import|exceptions|departures|items$|loc)|/changes$"
checks.positive_data_acceptance.enabled = false

# Any text is a table, and a dry run tells what is wrong with it.
[[operations]]
include-path = "/v1/import/{kind}"
checks.positive_data_acceptance.enabled = false
checks.negative_data_rejection.enabled = false
"""


def main(schemathesis: str, *more: str) -> int:
    """Run schemathesis; what it finds is its exit status."""
    with tempfile.TemporaryDirectory() as folder:
        hooks = Path(folder, "fuzz_hooks.py")
        hooks.write_text(HOOKS)
        settings = Path(folder, "schemathesis.toml")
        settings.write_text(SETTINGS)
        server = Server(Path(folder))
        server.start()
        try:
            of = ("--data", folder, "--scope", "admin", "--name", "fuzz")
            key = told("scantrail-server", "key", *of)
            command = [
                *(schemathesis, "--config-file", str(settings)),
                *("run", f"{server.url}/openapi.json"),
                *("--url", server.url, "--header", f"Authorization: Bearer {key}"),
                *("--header", "Accept: application/json", "--workers", "1"),
                *more,
            ]
            return subprocess.run(
                command,
                check=False,
                cwd=folder,
                env={"SCHEMATHESIS_HOOKS": str(hooks), "PATH": "/usr/bin:/bin"},
            ).returncode
        finally:
            server.stop()


if __name__ == "__main__":
    program, *more = sys.argv[1:]
    sys.exit(main(str(Path(program).absolute()), *more))
