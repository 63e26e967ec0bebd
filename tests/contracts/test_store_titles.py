"""Items by words of their title: what every backend of the store answers."""

from server.store import Store
from server.titles import words
from tests.contracts.storing import Log, joined


async def found(store: Store, text: str, most: int = 100) -> list[str]:
    return await store.titled(words(text), most)


async def named(store: Store) -> Log:
    log = await joined(store, "SHOP")
    log.write("note", 1, item="P-1", title="Gold ring, engagement")
    log.write("note", 2, item="P-2", title="Silver Ring-holder")
    log.write("note", 3, item="P-3", title="Öl (gold)")
    log.write("note", 4, location="A-1", title="Ring shelf")
    log.write("note", 5, item="P-4", text="gold in a remark")
    await log.send()
    return log


async def test_words_and_beginnings_of_words_find_an_item(store: Store) -> None:
    await named(store)
    assert await found(store, "ring") == ["P-2", "P-1"]
    assert await found(store, "RIN gol") == ["P-1"]
    assert await found(store, "ol") == ["P-3"]
    assert await found(store, "ing") == []
    assert await found(store, "ring lead") == []
    assert await found(store, "ring", most=1) == ["P-2"]
    assert await found(store, "\" OR 'x':* & (") == []


async def test_only_the_title_that_holds_finds_an_item(store: Store) -> None:
    log = await named(store)
    before = len(log.lines)
    again = log.write("note", 6, item="P-1", title="Watch")
    log.write("note", 7, item="P-2", title="Silver Ring-holder")
    await log.send(before)
    assert await found(store, "ring") == ["P-2"]
    assert await found(store, "watch") == ["P-1"]
    log.write("void", 8, voids=again, reason="mistaken")
    await log.send(before + 2)
    assert await found(store, "watch") == []
    assert await found(store, "engagement") == ["P-1"]
