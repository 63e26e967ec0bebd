"""The description of the interface is whole, and says what each call does."""

import msgspec
import pytest

from server.api.openapi import described
from server.api.operations import OPERATIONS
from server.app import INTERFACE


@pytest.mark.parametrize("route", INTERFACE, ids=lambda route: f"{route[0]} {route[1]}")
def test_every_route_is_described_and_says_what_it_does(
    route: tuple[str, str, object, object],
) -> None:
    method, path, _, handler = route
    assert (method, path) in OPERATIONS, "describe it in server/api/operations.py"
    said = str(handler.__doc__)
    assert said.startswith(f"``{method} {path}"), "its docstring begins with its call"


def test_nothing_is_described_that_is_not_there() -> None:
    assert set(OPERATIONS) == {(method, path) for method, path, _, _ in INTERFACE}


def test_every_type_that_is_named_is_there() -> None:
    document = msgspec.json.encode(described(INTERFACE)).decode()
    found = msgspec.json.decode(document)
    assert found["openapi"] == "3.1.0"
    for part in document.split('"#/components/schemas/')[1:]:
        assert part.partition('"')[0] in found["components"]["schemas"]
    named = [
        operation["operationId"]
        for path in found["paths"].values()
        for operation in path.values()
    ]
    assert len(named) == len(set(named))
