"""What a scanner in HID point-of-sale mode is set to, from its codes. Pure."""

from collections import Counter
from collections.abc import Sequence

import msgspec

from edge.doctor import Severity
from edge.identify import Analysis, Code
from edge.identify.match import (
    found,
    of_identifiers,
    of_separator,
    of_sheet,
    recognise,
    still_to_scan,
)
from edge.scanners.hid_pos import HidPosSettings

__all__ = ["analyse"]


def analyse(settings: HidPosSettings, codes: Sequence[bytes]) -> Analysis:
    """Return what codes, decoded without a suffix, tell of a scanner."""
    texts = [code.decode("latin-1") for code in codes]
    tails = Counter(match.after for text in texts if (match := recognise(text)))
    tail = tails.most_common(1)[0][0] if tails else ""
    made = msgspec.structs.replace(settings, suffix=tail)
    plain = [text.removesuffix(tail) for text in texts]
    matches = [recognise(text) for text in plain]
    known = [match for match in matches if match]
    note = f"each code ends with {tail!r}; the settings take it off"
    return Analysis(
        codes=tuple(
            Code(text=text, number=match.number if match and match.exact else 0)
            for text, match in zip(plain, matches, strict=True)
        ),
        rest=still_to_scan(known),
        findings=(
            *of_sheet(known, (t for t, m in zip(plain, matches, strict=True) if not m)),
            *([found(Severity.NOTE, note)] if tail else []),
            *of_separator(known),
            *of_identifiers(known),
        ),
        settings=made,
    )
