"""The examples of docs/http.md, as they stand there."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.programs import BIN, PATIENCE, Server, told

PAGE = Path(__file__).parents[2] / "docs" / "http.md"
EXAMPLES = re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)[1:]
"""All but the first, which makes the key."""

pytestmark = pytest.mark.skipif(
    shutil.which("curl") is None, reason="there is no curl (Debian: curl)"
)


@pytest.fixture(scope="module")
def surroundings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    server = Server(tmp_path_factory.mktemp("server"))
    server.start()
    of = ("--data", str(server.data), "--scope", "admin", "--name", "eva")
    yield {
        **os.environ,
        "SERVER": server.url,
        "KEY": told("scantrail-server", "key", *of),
        "PATH": f"{BIN}:{os.environ['PATH']}",
    }
    server.stop()


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_every_example_does_what_it_says(
    surroundings: dict[str, str], example: str, tmp_path: Path
) -> None:
    assert "curl" in example or "scantrail" in example
    strict = example.replace("curl -sS", "curl -sS --fail-with-body")
    done = subprocess.run(
        ["bash", "-euc", strict],  # noqa: S607 # whichever bash there is
        env=surroundings,
        cwd=tmp_path,
        capture_output=True,
        check=False,
        timeout=2 * PATIENCE,
    )
    assert done.returncode == 0, done.stdout + done.stderr
