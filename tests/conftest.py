"""What holds for all tests.

No test depends on how fast the machine is, so that Hypothesis sets no deadlines.
"""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.postgres import Postgres, postgres, why_not

settings.register_profile("scantrail", deadline=None)
settings.load_profile("scantrail")


@pytest.fixture(scope="session")
def database() -> Iterator[Postgres]:
    """A PostgreSQL of this session's own."""
    reason = why_not()
    if reason:
        pytest.skip(reason)
    with postgres() as found:
        yield found
