"""`make test-vm`: prepare, and try real devices.

    python -m tests.vm [--states N] [what pytest takes]

N is how many disks are looked at after power cuts.
"""

import argparse
import sys
from pathlib import Path

import pytest

from tests.vm.prepare import PREPARED, TREE, Bench, NotReadyError, prepare
from tests.vm.run_log import RunLog

_STATES = 200


class _Prepared:
    """Hands the bench to the fixtures, as a plugin of pytest's; sees what went wrong.

    Here nothing may be skipped: it would look like success.
    """

    def __init__(self, bench: Bench, log: RunLog) -> None:
        self._log = log
        self._prepared = bench, log
        self.skipped = 0

    def pytest_configure(self, config: pytest.Config) -> None:
        """Hand it over."""
        config.stash[PREPARED] = self._prepared

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Write down what was not good."""
        self.skipped += report.skipped
        if not report.passed:
            self._log.say(f"{report.outcome.upper()}: {report.nodeid}")


def main(arguments: list[str]) -> int:
    """Run; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.vm", add_help=False)
    parser.add_argument("--states", type=int, default=_STATES)
    own, others = parser.parse_known_args(arguments)
    log = RunLog(TREE / "build" / "test-vm.log")
    log.begin()
    try:
        with log.step("all preparations"):
            bench = prepare(log, own.states)
    except NotReadyError as error:
        log.say(f"not possible here: {error}")
        return 1
    plugin = _Prepared(bench, log)
    with log.step("all tests"):
        options = ["--capture=no", "--quiet", *others, str(Path(__file__).parent)]
        status = pytest.main(options, plugins=[plugin])
    log.say(f"this log: {log.path.relative_to(TREE)}")
    return int(status) or int(plugin.skipped > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
