"""``make audit``: ask the public lists of advisories about every locked version.

``python -m tests.audit PIP_AUDIT``. First it asks about a version that is known to be
weak: a source that knows nothing of that one is silent, and its silence shows nothing.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
_WEAK = "aiohttp==3.8.0\n"
_SILENT = 2


def _asked(audit: str, *arguments: str) -> int:
    command = [audit, "--disable-pip", "--progress-spinner=off", *arguments]
    return subprocess.run(command, check=False).returncode


def _is_silent(audit: str) -> bool:
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(_WEAK)
        file.flush()
        return _asked(audit, "--no-deps", "--requirement", file.name) == 0


def main(audit: str) -> int:
    """Return 0 where nothing is known, 1 where something is, 2 where nobody says."""
    if _is_silent(audit):
        sys.stderr.write(
            f"audit: the source of advisories knows nothing of {_WEAK.strip()}, which "
            "has known weaknesses; so it says nothing of other versions either. Ask "
            "where it is reachable. What was known at the last release is checked by "
            "tests/unit/test_advisories.py\n"
        )
        return _SILENT
    worst = 0
    for lock in sorted(ROOT.glob("constraints*.txt")):
        sys.stderr.write(f"audit: {lock.name}\n")
        worst = max(
            worst, _asked(audit, "--require-hashes", "--requirement", str(lock))
        )
    return worst


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
