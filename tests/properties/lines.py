"""The scans of a random history as the lines that stations write."""

from collections.abc import Mapping

from shared.lines import Line
from shared.moments import to_text
from tests.properties.model import Scan

__all__ = ["line_of"]


def line_of(scan: Scan, names: Mapping[str, str]) -> Line:
    """Write a scan; ``names`` are those of the logs that the history speaks of."""
    log, _, seq = (scan.voids or "").rpartition(":")
    return Line(
        seq=scan.seq,
        at=to_text(scan.occurred),
        action=scan.action,
        item=scan.item,
        location=scan.location,
        container=scan.container,
        operator=scan.operator,
        items=scan.items or (() if scan.action == "count" else None),
        voids=f"{names.get(log, log)}:{seq}" if scan.voids else None,
        status=scan.status,
        exception=scan.exception,
        title=scan.title,
        refused="said_no" if scan.refused else None,
    )
