import stat
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge import identity
from edge.identity import Identity
from shared.errors import StartError

SECRET = "t0p-s3cret-token"  # noqa: S105 known to the tests alone


def some() -> Identity:
    return Identity(
        url="https://scantrail.example.org",
        server="s1",
        station="DOCK-1",
        epoch="e1",
        location="NORTH",
        token=SECRET,
        key=Ed25519PrivateKey.generate(),
    )


def test_a_station_that_has_not_joined_has_none(tmp_path: Path) -> None:
    assert identity.load(tmp_path) is None


def test_it_comes_back_as_it_was_and_signs_the_same(tmp_path: Path) -> None:
    before = some()
    identity.save(tmp_path / "data", before)
    after = identity.load(tmp_path / "data")
    assert after is not None
    assert replace(after, key=before.key) == before
    assert after.public_key == before.public_key
    before.key.public_key().verify(after.sign(b"message"), b"message")


def test_it_is_for_the_owner_alone_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    data = tmp_path / "data"
    identity.save(data, some())
    identity.save(data, some())
    (file,) = data.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(data.stat().st_mode) == 0o700


def test_nothing_secret_is_shown(tmp_path: Path) -> None:
    one = some()
    assert SECRET not in repr(one)
    identity.save(tmp_path, one)
    path = tmp_path / "identity.json"
    path.write_bytes(path.read_bytes().replace(b'"station":"DOCK-1"', b'"station":[1'))
    with pytest.raises(StartError, match="damaged; let this station join") as error:
        identity.load(tmp_path)
    assert error.value.__cause__ is None
    assert SECRET not in str(error.value)


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"\xff", b'{"key":"AAAA"}', b"[" * 100_000]
)
def test_a_damaged_one_says_what_to_do(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "identity.json").write_bytes(content)
    with pytest.raises(StartError, match="join again, with a new code"):
        identity.load(tmp_path)


def test_one_that_cannot_be_read_or_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "identity.json").mkdir()
    with pytest.raises(StartError, match=r"identity\.json: Is a directory"):
        identity.load(tmp_path)
    with pytest.raises(StartError, match=r"identity\.json: .*see the disk"):
        identity.save(tmp_path, some())
