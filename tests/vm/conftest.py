"""What the tests here stand on; without `make test-vm` they are skipped."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.vm.guest import Guest
from tests.vm.machine import Hardware, Machine
from tests.vm.prepare import PREPARED, Bench
from tests.vm.run_log import RunLog, Step
from tests.vm.station import GuestStation


@pytest.fixture(scope="session")
def prepared(pytestconfig: pytest.Config) -> tuple[Bench, RunLog]:
    found = pytestconfig.stash.get(PREPARED, None)
    if found is None:
        pytest.skip("real devices are tried in a virtual machine: make test-vm")
    return found


@pytest.fixture
def bench(prepared: tuple[Bench, RunLog]) -> Bench:
    return prepared[0]


@pytest.fixture
def run_log(prepared: tuple[Bench, RunLog]) -> RunLog:
    return prepared[1]


@pytest.fixture(autouse=True)
def step(run_log: RunLog, request: pytest.FixtureRequest) -> Iterator[Step]:
    """The test's line in the log of the run."""
    name = request.node.name.removeprefix("test_").replace("_", " ")
    with run_log.step(name) as step:
        yield step


@pytest.fixture
def machine(
    bench: Bench, run_log: RunLog, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Machine]:
    """A machine of its own for each test, a second after it was asked for."""
    folder, kept = tmp_path_factory.mktemp("vm"), bench.kept(Hardware(), run_log)
    with Machine(bench.image, folder, Hardware(), kept=kept) as running:
        yield running


@pytest.fixture
def guest(machine: Machine) -> Guest:
    return machine.guest


@pytest.fixture
def station(guest: Guest, tmp_path: Path) -> Iterator[GuestStation]:
    made = GuestStation(guest, tmp_path)
    yield made
    (tmp_path / "said").write_text(made.said())
