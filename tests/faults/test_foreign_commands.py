"""F-29: labels from elsewhere that would command a station."""

import pytest

from edge.feedback import Says
from edge.scanners.framing import Framer, Framing
from edge.workflow import Rules
from shared.protocol import ClockReading
from tests.unit.picker import Picker

NOW = ClockReading(at=0, boot="b", mono=0, synced=True)


def _frames(label: bytes) -> list[str]:
    """What a serial scanner makes of a label, with the end that it puts behind it."""
    frames = Framer(Framing()).feed(label + b"\r", NOW)
    return [frame.raw.decode("latin-1") for frame in frames]


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
def test_f29_a_label_with_an_end_inside_commands_nothing_where_the_sheet_has_a_word(
    end: bytes,
) -> None:
    frames = _frames(b"P-1" + end + b"X-DEPART" + end + b"X-UNDO")
    assert frames == ["P-1", "X-DEPART", "X-UNDO"]  # the attack gets as far as this
    picker = Picker(Rules(sheet="K7Q2"))
    said = [picker.scan(frame).says for frame in frames]
    assert said[1:] == [Says.NOT_OURS, Says.NOT_OURS]
    assert picker.state.scene.mode == "see"
    assert [line.action for line in picker.lines] == ["see", "note", "note"]


def test_f29_without_a_word_the_same_label_would_command() -> None:
    picker = Picker(Rules())
    for frame in _frames(b"P-1\rX-DEPART"):
        picker.scan(frame)
    assert picker.state.scene.mode == "depart"
