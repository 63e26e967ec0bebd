"""Items by words of their title or of a remark: what every backend answers."""

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


async def test_a_single_letter_or_digit_is_a_word_of_its_own(store: Store) -> None:
    log = await joined(store, "SHOP")
    for number in (5, 51, 11):
        log.write("note", number, item=f"P-{number}", title=f"Lorry {number}")
    await log.send()
    assert await found(store, "lorry 5") == ["P-5"]
    assert await found(store, "5") == ["P-5"]
    assert await found(store, "lorry 51") == ["P-51"]


async def remarks(store: Store, text: str, most: int = 100) -> list[tuple[str, str]]:
    said = await store.remarked(words(text), most)
    return [(one.key, one.line.text or "") for one in said]


async def test_words_of_a_remark_find_an_item_until_it_is_taken_back(
    store: Store,
) -> None:
    log = await named(store)
    before = len(log.lines)
    first = log.write("note", 6, item="P-1", text="title: Ring, gold, 52")
    log.write("note", 7, item="P-1", text="The box is wet", title="Box")
    log.write("note", 8, location="A-1", text="gold shelf")
    log.write("note", 9, item="P-5", text="gold, refused", refused="full")
    await log.send(before)
    ring, wet = ("P-1", "title: Ring, gold, 52"), ("P-1", "The box is wet")
    assert await remarks(store, "Ring, gold, 52") == [ring]
    assert await remarks(store, "box we") == [wet]
    assert await remarks(store, "ring wet") == []
    assert await remarks(store, "gold") == [ring, ("P-4", "gold in a remark")]
    assert await remarks(store, "gold", most=1) == [ring]
    assert await found(store, "wet") == []
    log.write("void", 10, voids=first, reason="mistaken")
    await log.send(before + 4)
    assert await remarks(store, "ring 52") == []
    assert await remarks(store, "wet") == [wet]
