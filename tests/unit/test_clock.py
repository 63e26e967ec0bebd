"""Whether the clock is synchronised, where the kernel may be asked and where not."""

import os
from pathlib import Path

import pytest

from edge import clock
from edge.clock import read_clock, told_by_timesyncd


@pytest.mark.parametrize(
    ("age", "synced"), [(0, True), (7000, True), (7300, False), (-10, False)]
)
def test_timesyncd_has_set_the_clock_lately_or_not(
    tmp_path: Path, age: int, *, synced: bool
) -> None:
    file = tmp_path / "synchronized"
    assert not told_by_timesyncd(1_800_000_000.0, file)
    file.touch()
    os.utime(file, (1_800_000_000 - age,) * 2)
    assert told_by_timesyncd(1_800_000_000.0, file) is synced


@pytest.mark.parametrize(("answer", "synced"), [(0, True), (4, True), (5, False)])
def test_the_kernel_s_word_counts_where_it_may_be_asked(
    monkeypatch: pytest.MonkeyPatch, answer: int, *, synced: bool
) -> None:
    monkeypatch.setattr(clock, "_adjtimex", lambda: lambda _: answer)
    monkeypatch.setattr(clock, "told_by_timesyncd", lambda _: not synced)
    assert read_clock().synced is synced


@pytest.mark.parametrize("synced", [False, True])
def test_where_a_sandbox_refuses_that_timesyncd_s_word_counts(
    monkeypatch: pytest.MonkeyPatch, *, synced: bool
) -> None:
    monkeypatch.setattr(clock, "_adjtimex", lambda: lambda _: -1)
    monkeypatch.setattr(clock, "told_by_timesyncd", lambda _: synced)
    assert read_clock().synced is synced
