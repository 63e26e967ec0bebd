"""What a store gives to tell what changed our mind, by all views between."""

from pathlib import Path

from server.changes import Seen, changes
from server.store import View
from shared.lines import Line, encode
from shared.moments import SECOND, to_text
from tests.serving import NOW, Log, serving


def _void(log: Log, seq: int) -> None:
    line = Line(
        seq=len(log.lines) + 1,
        at=to_text(log.service.now),
        action="void",
        voids=f"{log.id}:{seq}",
    )
    log.put(encode(line))


async def test_late_events_voids_and_counts_are_all_there(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        log = Log(service, "dock")
        await log.join()
        log.add("P")
        log.add("P", action="store")
        assert (await log.send(0))[0] == 200
        before = service.now = NOW + 60 * SECOND
        _void(log, 2)
        count = Line(
            seq=4, at=to_text(NOW), action="count", location="DOCK-1", items=("Q",)
        )
        log.put(encode(count))
        service.now += 60 * SECOND
        assert (await log.send(2))[0] == 200
        after = service.now + SECOND
        store = service.context.store
        events = await store.bearing("P", View(at=after, known_at=after))
    first = Seen(at=before - SECOND, known_at=before - SECOND)
    taken_back, missed = changes(events, "P", first, Seen(at=after, known_at=after))
    assert taken_back.voids == f"{log.id}:2"
    assert taken_back.fields["status"] == ("stored", "received")
    assert missed.fields == {"exceptions": ([], ["missed_in_count"])}
