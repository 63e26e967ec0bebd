import stat
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest

from edge import reference
from edge.answers import Answer, NoAnswer
from edge.reference import Copy, Reference
from shared.protocol import ClockReading

DOCUMENT = b'{"locations": ["A-01"],\n "open": {}}'


def answer(body: bytes = DOCUMENT, *, status: int = 200, etag: str = '"e2"') -> Answer:
    return Answer(status=status, content_type="application/json", body=body, etag=etag)


def fetch(
    what: Answer | NoAnswer, asked: list[str]
) -> Callable[[str], Awaitable[Answer | NoAnswer]]:
    async def it(etag: str) -> Answer | NoAnswer:
        asked.append(etag)
        return what

    return it


def test_there_is_none_at_first(tmp_path: Path) -> None:
    assert reference.load(tmp_path) is None


def test_the_document_is_kept_as_it_came(tmp_path: Path) -> None:
    reference.save(tmp_path, Reference(etag="e1", document=msgspec.Raw(DOCUMENT)))
    kept = reference.load(tmp_path)
    assert kept is not None
    assert (kept.etag, bytes(kept.document)) == ("e1", DOCUMENT)
    (file,) = tmp_path.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b"", b"{", b'{"etag":1}', b"[" * 100_000])
def test_a_damaged_copy_is_none(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "reference.json").write_bytes(content)
    assert reference.load(tmp_path) is None
    assert "will be fetched again" in caplog.text


async def test_what_the_server_names_is_fetched_once_and_told(tmp_path: Path) -> None:
    copy, asked, told = Copy(tmp_path), list[str](), list[Reference]()
    copy.observe(told.append)
    await copy.refresh("", fetch(answer(), asked), again=True)
    assert not asked
    await copy.refresh("e2", fetch(answer(), asked), again=False)
    await copy.refresh('W/"e2"', fetch(answer(), asked), again=True)
    assert asked == [""]
    assert [bytes(one.document) for one in told] == [DOCUMENT]
    later = Copy(tmp_path)
    later.observe(told.append)
    assert [one.etag for one in told] == ['"e2"', '"e2"']
    await later.refresh("e3", fetch(answer(etag=""), asked), again=False)
    assert asked[1:] == ['"e2"']
    assert later.present is not None
    assert later.present.etag == "e3"


@pytest.mark.parametrize(
    "bad",
    [
        NoAnswer(problem="gone"),
        Answer(status=404),
        answer(status=304),
        answer(b"<html>"),
        answer(b'{"a": "\xff"}'),
        answer(b"[" * 100_000),
        Answer(status=200, content_type="text/html", body=DOCUMENT),
    ],
)
async def test_what_is_no_document_is_asked_for_again_with_the_next_heartbeat(
    tmp_path: Path, bad: Answer | NoAnswer
) -> None:
    copy, asked = Copy(tmp_path), list[str]()
    await copy.refresh("e2", fetch(bad, asked), again=False)
    await copy.refresh("e2", fetch(answer(), asked), again=False)
    assert asked == [""]
    assert copy.present is None
    await copy.refresh("e2", fetch(answer(), asked), again=True)
    assert asked == ["", ""]
    assert copy.present is not None


async def test_a_copy_that_cannot_be_kept_is_used_all_the_same(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    copy, asked = Copy(tmp_path / "gone"), list[str]()
    await copy.refresh("e2", fetch(answer(), asked), again=False)
    assert copy.present is not None
    assert "are not kept: No such file or directory" in caplog.text


async def test_the_copy_knows_when_the_server_last_said_that_it_is_right(
    tmp_path: Path,
) -> None:
    clock = ClockReading(at=5_000, boot="b", mono=0, synced=True)
    copy, asked, seen = (
        Copy(tmp_path, lambda: clock),
        list[str](),
        list[int | None]([None]),
    )
    for etag, what in (
        ("e2", NoAnswer(problem="gone")),
        ("e2", answer()),
        ("e3", NoAnswer(problem="gone")),
        ('W/"e2"', answer()),
    ):
        clock = msgspec.structs.replace(clock, at=clock.at + 1)
        await copy.refresh(etag, fetch(what, asked), again=True)
        seen.append(copy.checked)
    assert seen == [None, None, 5_002, 5_002, 5_004]
    again = Copy(tmp_path).checked
    assert again is not None
    assert again > 5_004
