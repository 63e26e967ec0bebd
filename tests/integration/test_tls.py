"""TLS between stations and server: whom a station believes, and what it sends then."""

import shutil
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edge import identity
from edge.answers import Answer, NoAnswer
from edge.identity import Identity
from edge.joining import join
from edge.logs import Batch
from edge.trusting import trust
from edge.uplink import Uplink
from server.certificate import Certificate, make
from shared import chain
from shared.errors import StartError
from shared.fingerprint import digest, fingerprint, split
from tests.authority import Authority, der, showing
from tests.edge_server import Server

LOG = "0b7c6f4e-8a3f-4a52-9f4e-2b8f1d1c9a10"
NOW = datetime.now(UTC)
WRONG = f"sha256:{'0' * 64}"


def batch(line: bytes = b'{"seq":1}') -> Batch:
    base = chain.start(LOG)
    head = chain.walk(base, [line])[-1]
    return Batch(log=LOG, after=0, base=base, head=head, lines=(line,))


async def joined(
    server: Server, data: Path, pin: str = "", tls: ssl.SSLContext | None = None
) -> Identity:
    return await join(
        server.url, server.code, data, log=LOG, version="1", host="pi", pin=pin, tls=tls
    )


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


Signs = Callable[[Authority, Path], tuple[Path, Path]]


def good(authority: Authority, _: Path) -> tuple[Path, Path]:
    return authority.sign("good")


def expired(authority: Authority, _: Path) -> tuple[Path, Path]:
    days = timedelta(days=30)
    return authority.sign(begins=NOW - days, ends=NOW - days / 2)


def not_begun(authority: Authority, _: Path) -> tuple[Path, Path]:
    """What every certificate is to a station whose clock stands in 1970."""
    days = timedelta(days=20_000)
    return authority.sign(begins=NOW + days, ends=NOW + 2 * days)


def of_another_name(authority: Authority, _: Path) -> tuple[Path, Path]:
    return authority.sign(names=["scantrail.example.org"])


def of_nobody_known(_: Authority, folder: Path) -> tuple[Path, Path]:
    return Authority(folder, "somebody").sign()


def made_here(_: Authority, folder: Path) -> tuple[Path, Path]:
    paths = folder / "own.pem", folder / "own.key"
    make(*paths, ["127.0.0.1"])
    return paths


BAD = [expired, not_begun, of_another_name, of_nobody_known, made_here]


async def test_a_certificate_of_a_known_authority_is_believed(
    authority: Authority, tmp_path: Path
) -> None:
    trust = authority.trusting()
    async with Server().running(tls=showing(good(authority, tmp_path))) as server:
        me = await joined(server, tmp_path, tls=trust)
        async with Uplink(me, tls=trust) as link:
            assert isinstance(await link.send(batch()), Answer)
        assert server.model.logs[LOG] == [b'{"seq":1}']


@pytest.mark.parametrize("signs", BAD)
async def test_f36_what_is_not_believed_is_sent_nothing(
    authority: Authority, tmp_path: Path, signs: Signs
) -> None:
    trust = authority.trusting()
    paths = signs(authority, tmp_path)
    async with Server().running(tls=showing(good(authority, tmp_path))) as server:
        me = await joined(server, tmp_path / "station", tls=trust)
    async with Server().running(tls=showing(paths)) as server:
        me = Identity(**{**vars(me), "url": server.url})
        async with Uplink(me, tls=trust) as link:
            answer = await link.send(batch())
        assert isinstance(answer, NoAnswer)
        assert "is not trusted" in answer.problem
        assert "nothing was sent" in answer.problem
        with pytest.raises(StartError, match=fingerprint(der(paths[0]))):
            await joined(server, tmp_path / "other", tls=trust)
        assert not server.seen


@pytest.mark.parametrize("signs", BAD)
async def test_f68_who_pins_a_certificate_asks_for_no_date_name_or_authority(
    authority: Authority, tmp_path: Path, signs: Signs
) -> None:
    paths = signs(authority, tmp_path)
    async with Server().running(tls=showing(paths)) as server:
        me = await joined(server, tmp_path, pin=fingerprint(der(paths[0])))
        assert identity.load(tmp_path) is not None
        assert vars(identity.load(tmp_path))["fingerprint"] == me.fingerprint
        async with Uplink(me) as link:
            assert isinstance(await link.send(batch()), Answer)
        assert server.model.logs[LOG] == [b'{"seq":1}']


async def test_f36_another_certificate_than_the_pinned_one_is_sent_nothing(
    authority: Authority, tmp_path: Path
) -> None:
    """Not even one that an authority has signed: the pin is all that counts."""
    trust, paths = authority.trusting(), good(authority, tmp_path)
    async with Server().running(tls=showing(paths)) as server:
        me = await joined(server, tmp_path, tls=trust)
        server.seen.clear()
        pinned = Identity(**{**vars(me), "fingerprint": WRONG})
        async with Uplink(pinned, tls=trust) as link:
            answer = await link.send(batch())
        assert isinstance(answer, NoAnswer)
        assert fingerprint(der(paths[0])) in answer.problem
        assert "nothing was sent" in answer.problem
        assert not server.seen
        with pytest.raises(StartError, match="another certificate"):
            await joined(server, tmp_path / "other", pin=WRONG)
        assert not server.seen


async def test_the_fingerprint_may_come_with_the_address(tmp_path: Path) -> None:
    paths = tmp_path / "own.pem", tmp_path / "own.key"
    make(*paths, [])
    mark = fingerprint(der(paths[0]))
    async with Server().running(tls=showing(paths)) as server:
        server.url, plain = f"{server.url}#{mark}", server.url
        me = await joined(server, tmp_path)
        assert (me.url, me.fingerprint) == (plain, mark)
        with pytest.raises(StartError, match="another fingerprint"):
            await joined(server, tmp_path, pin=WRONG)


@pytest.mark.parametrize(
    ("url", "pin"),
    [
        ("https://example.org#sha256:12", ""),
        ("https://example.org#top", ""),
        ("https://example.org", "sha256:zz"),
        ("http://localhost:1", WRONG),
        (f"http://localhost:1#{WRONG}", ""),
    ],
)
async def test_what_is_no_fingerprint_is_refused(
    tmp_path: Path, url: str, pin: str
) -> None:
    with pytest.raises(StartError, match="fingerprint"):
        await join(url, "C", tmp_path, log=LOG, version="", host="", pin=pin)


def test_a_fingerprint_is_read_however_it_was_typed() -> None:
    bare = "ab" * 32
    colons = ":".join(["AB"] * 32)
    for text in (bare, f"sha256:{bare}", colons, f"SHA256 Fingerprint={colons}"):
        assert digest(text) == bytes.fromhex(bare)
    assert split(f"https://example.org#{colons}") == (
        "https://example.org",
        f"sha256:{bare}",
    )


# --- the server's side ----------------------------------------------------------------


def test_a_certificate_is_made_once_for_the_owner_alone(tmp_path: Path) -> None:
    paths = tmp_path / "tls" / "cert.pem", tmp_path / "tls" / "key.pem"
    make(*paths, ["dock", "192.0.2.7"])
    first = Certificate(*paths)
    make(*paths, ["other"])
    assert Certificate(*paths).fingerprint == first.fingerprint
    assert paths[1].stat().st_mode & 0o777 == 0o600
    assert first.until.year == 2100


def test_a_renewed_certificate_is_taken_and_a_bad_one_is_not(
    authority: Authority,
) -> None:
    paths, other = authority.sign("one"), authority.sign("other")
    certificate = Certificate(*paths)
    before = certificate.fingerprint
    shutil.copy(other[0], paths[0])
    with pytest.raises(StartError, match="belong together"):
        certificate.load()  # the key is still the old one
    assert certificate.fingerprint == before
    shutil.copy(other[1], paths[1])
    certificate.load()
    assert certificate.fingerprint == fingerprint(der(other[0]))


@pytest.mark.parametrize("content", [b"", b"-----BEGIN CERTIFICATE-----\nAA\n", None])
def test_a_file_that_is_no_certificate_is_told_of(
    authority: Authority, content: bytes | None
) -> None:
    certificate, key = authority.sign()
    certificate.unlink()
    if content is not None:
        certificate.write_bytes(content)
    with pytest.raises(StartError, match="cannot be used"):
        Certificate(certificate, key)


def _kept(folder: Path) -> Identity:
    found = identity.load(folder)
    assert found is not None
    return found


async def test_a_replaced_certificate_is_vouched_for_without_joining_again(
    tmp_path: Path,
) -> None:
    first, second = (
        (tmp_path / f"{n}.pem", tmp_path / f"{n}.key") for n in ("first", "second")
    )
    for paths in (first, second):
        make(*paths, [])
    mark = fingerprint(der(second[0]))
    server = Server()
    async with server.running(tls=showing(first)):
        me = await joined(server, tmp_path, pin=fingerprint(der(first[0])))
    async with server.running(tls=showing(second)):
        moved = f"{server.url}#{mark}"
        for wrong in (f"{server.url}#{WRONG}", server.url, "no fingerprint"):
            with pytest.raises(StartError):
                await trust(tmp_path, wrong)
        server.name = "another"
        with pytest.raises(StartError, match="another server"):
            await trust(tmp_path, moved)
        assert _kept(tmp_path).fingerprint == me.fingerprint
        server.name = me.server
        await trust(tmp_path, moved)
        await trust(tmp_path, mark.upper().replace("SHA256:", ""))  # the address stays
        found = _kept(tmp_path)
        kept = (found.url, found.fingerprint, found.token)
        assert kept == (server.url, mark, me.token)
        async with Uplink(found) as link:
            assert isinstance(await link.send(batch()), Answer)
        assert server.model.logs[LOG] == [b'{"seq":1}']


async def test_who_has_not_joined_cannot_vouch(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="has not joined"):
        await trust(tmp_path, WRONG)
