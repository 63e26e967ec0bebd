"""What is sent to a scanner, and what it sends again."""

import pytest

from edge.scanners import Read, Tone
from edge.scanners.profiles import PROFILES, is_resend
from edge.scanners.sightings import Sighting, Sightings
from shared.protocol import ClockReading


def read(
    raw: bytes, mono: int = 0, *, device: str = "d", damaged: bool = False
) -> Read:
    clock = ClockReading(at=0, boot="b", mono=mono, synced=True)
    return Read(raw=raw, device=device, clock=clock, damaged=damaged)


@pytest.mark.parametrize(
    ("name", "good", "error"),
    [
        ("none", b"", b""),
        ("honeywell-host-ack", b"\x1b7,", b"\x1b8,"),
        ("ack-nak", b"\x06", b"\x15"),
        ("datalogic", b"B", b"F"),
        ("bel", b"\x07", b"\x07\x07\x07"),
    ],
)
def test_each_profile_says_yes_and_no_as_its_maker_wrote(
    name: str, good: bytes, error: bytes
) -> None:
    answers = {profile: row.answers for profile, row in PROFILES.items()}
    assert answers[name][Tone.GOOD] == good  # type: ignore[index]
    assert answers[name][Tone.ERROR] == error  # type: ignore[index]


@pytest.mark.parametrize("profile", PROFILES.values())
def test_only_an_error_denies_that_a_scan_was_saved(profile: object) -> None:
    answers = profile.answers  # type: ignore[attr-defined]
    assert set(answers) == set(Tone)
    saved = [answers[tone] for tone in Tone if tone is not Tone.ERROR]
    assert all(answer.startswith(answers[Tone.GOOD]) for answer in saved)


def test_every_profile_names_its_source() -> None:
    assert all(profile.source for profile in PROFILES.values())


@pytest.mark.parametrize(
    ("earlier", "later", "expected"),
    [
        (read(b"A", 0), read(b"A", 1000), True),
        (read(b"A", 0), read(b"A", 1001), False),
        (read(b"A", 0), read(b"B", 1), False),
        (read(b"A", 5), read(b"A", 4), False),
        (read(b"A"), read(b"A", device="other"), False),
        (read(b"A", damaged=True), read(b"A"), False),
        (read(b"A"), read(b"A", damaged=True), False),
        (None, read(b"A"), False),
    ],
)
def test_f27_a_resend_is_the_same_bytes_within_the_window(
    earlier: Read | None, later: Read, *, expected: bool
) -> None:
    assert is_resend(1000, earlier, later) is expected


def test_f27_a_scanner_that_does_not_resend_never_repeats_itself() -> None:
    assert not is_resend(0, read(b"A"), read(b"A"))


def test_a_code_in_view_is_one_read_with_first_and_last_time_and_count() -> None:
    seen = Sightings(100)
    news = [seen.is_new("r", b"A", at) for at in (0, 90, 180, 281, 300)]
    assert news == [True, False, False, True, False]
    assert seen.of("r", b"A") == Sighting(first=281, last=300, count=2)
    assert seen.of("r", b"B") is None


def test_a_code_is_new_to_each_reader_and_each_code_to_one() -> None:
    seen = Sightings(100)
    assert [
        seen.is_new(*one, 0) for one in [("r", b"A"), ("s", b"A"), ("r", b"B")]
    ] == [True] * 3


def test_f27_without_a_window_every_sighting_is_new() -> None:
    seen = Sightings(0)
    assert all(seen.is_new("r", b"A", 0) for _ in range(3))


def test_f31_what_is_remembered_of_codes_in_view_is_bounded() -> None:
    seen = Sightings(10**9, limit=10)
    for index in range(1000):
        assert seen.is_new("r", str(index).encode(), index)
    assert len(seen._seen) == 10
    assert not seen.is_new("r", b"999", 1000)
