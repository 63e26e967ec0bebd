"""``make across REF=COMMIT``: programs of this checkout and of a commit, together.

A station of either joins a server of the other, brings scans, and is answered. The
earlier one runs on the packages that are installed here.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parents[2]
SCANS = "X-RECEIVE\nP-1\nP-2\nX-STORE\nL-A-02\nP-1\n"
_PATIENCE = 120.0
_RUN = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); name = sys.argv.pop(1); "
    "import importlib; sys.exit(importlib.import_module(name).main(sys.argv[1:]))"
)


def _command(tree: Path, program: str, *words: str | Path) -> list[str]:
    return [sys.executable, "-c", _RUN, str(tree), program, *map(str, words)]


def _said(tree: Path, program: str, *words: str | Path, typed: str = "") -> str:
    """Run a program of a tree; return what it printed."""
    done = subprocess.run(
        _command(tree, program, *words),
        input=typed,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        cwd=tree,
        timeout=_PATIENCE,
    )
    return done.stdout.strip()


def _together(server: Path, station: Path, folder: Path) -> None:
    """Let a station of one tree bring scans to a server of another."""
    data, out = folder / "server", folder / "address"
    with (
        out.open("w") as address,
        subprocess.Popen(
            _command(server, "server.cli", "serve", "--data", data, "--port", "0"),
            stdout=address,
            cwd=server,
        ) as serving,
    ):
        try:
            end = time.monotonic() + _PATIENCE
            while not (url := out.read_text().strip()) and time.monotonic() < end:
                time.sleep(0.1)
            key = _said(server, "server.cli", "key", "--data", data, "--scope", "admin")
            to = ("--server", url, "--key", key)
            code = _said(server, "server.cli", "station-code", "DOCK-1", *to)
            own = ("--data", folder / "station")
            _said(station, "edge.cli", "join", url, code, *own)
            for _ in range(2):  # the second time it goes on with what it keeps
                _said(station, "edge.cli", "run", "--drain", *own, typed=SCANS)
            found = _said(server, "server.client.cli", "trace", "P-1", *to)
            assert "P-1 is stored" in found.splitlines()[0], found
        finally:
            serving.terminate()


def main(commit: str) -> int:
    """Try both ways; return 0 where both work."""
    with tempfile.TemporaryDirectory() as made:
        folder, tree = Path(made), Path(made) / "tree"
        tree.mkdir()
        git, tar = shutil.which("git") or "git", shutil.which("tar") or "tar"
        packed = subprocess.run(
            [git, "archive", commit], cwd=HERE, check=True, stdout=subprocess.PIPE
        )
        subprocess.run([tar, "x", "-C", tree], input=packed.stdout, check=True)
        os.environ.pop("PYTHONPATH", None)
        for what, server, station in (
            (f"a station of {commit} with this server", HERE, tree),
            (f"this station with a server of {commit}", tree, HERE),
        ):
            beside = folder / what.replace(" ", "-").replace("/", "-")
            beside.mkdir()
            _together(server, station, beside)
            print(f"{what}: joined, scanned, answered", flush=True)  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
