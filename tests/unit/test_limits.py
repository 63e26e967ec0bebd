"""Token buckets: how often an address may do something."""

import pytest

from server.limits import Limiter, client_address
from shared.moments import SECOND


def test_a_burst_is_admitted_and_then_so_many_a_second() -> None:
    limiter = Limiter(per_second=2, burst=3)
    assert [limiter.take("a", 0) for _ in range(4)] == [0, 0, 0, 0.5]
    assert limiter.take("b", 0) == 0
    assert limiter.take("a", SECOND // 4) == pytest.approx(0.25)
    assert [limiter.take("a", SECOND) for _ in range(3)] == [0, 0, 0.5]


def test_who_is_refused_does_not_wait_the_longer_for_it() -> None:
    limiter = Limiter(per_second=1, burst=1)
    limiter.take("a", 0)
    for _ in range(100):
        assert limiter.take("a", SECOND // 2) == pytest.approx(0.5)
    assert limiter.take("a", SECOND) == 0


def test_a_clock_that_goes_back_locks_nobody_out_for_longer() -> None:
    limiter = Limiter(per_second=1, burst=1)
    limiter.take("a", 1000 * SECOND)
    assert limiter.take("a", 0) == 1
    assert limiter.take("a", SECOND) == 0


def test_many_addresses_cost_no_more_than_so_many() -> None:
    limiter = Limiter(per_second=1, burst=1, most=10)
    for n in range(1000):
        limiter.take(str(n), 0)
    assert len(limiter._buckets) == 10
    assert limiter.take("999", 0) > 0


@pytest.mark.parametrize(
    ("peer", "forwarded", "whose"),
    [
        ("10.1.2.3", "", "10.1.2.3"),
        ("10.1.2.3", "1.2.3.4", "10.1.2.3"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "6.6.6.6, 1.2.3.4", "1.2.3.4"),
        ("::1", "1.2.3.4", "1.2.3.4"),
        ("127.0.0.1", "nonsense", "127.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "", "2001:db8:1:2::/64"),
        ("::ffff:10.1.2.3", "", "10.1.2.3"),
        ("fe80::1%eth0", "", "fe80::/64"),
        ("", "", ""),
    ],
)
def test_whose_request_it_is(peer: str, forwarded: str, whose: str) -> None:
    assert client_address(peer, forwarded) == whose
