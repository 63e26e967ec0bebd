"""`make fuzz-keys`: as many random texts as wanted, and an answer to each of them.

    python -m tests.fuzz_keys [TEXTS] [SEED]

Texts are made of random bytes, of what labels begin with, of GS1-like signs, and of
real examples (GS1's and the carriers', where the vectors are there) with characters
changed, cut out, doubled or put in. Each is read with and without a site's own rules.
An exception, or a key that the rest of the program cannot rely on, ends it.
"""

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

from shared.keys import Site, parse
from tests.properties.scans import BEGINNINGS, GS1_LIKE, IDENTIFIERS, SITE, is_whole

__all__ = ["main", "run", "texts"]

_VECTORS = Path(__file__).parents[1].parent / "shared" / "vectors"
_LONGEST = 80


def texts(luck: Random) -> Iterator[str]:
    """Yield texts for ever."""
    known = _examples()
    while True:
        kind = luck.random()
        if known and kind < 0.5:
            yield _changed(luck.choice(known), luck)
        else:
            signs = GS1_LIKE if kind < 0.8 else ""
            head = luck.choice(("", luck.choice(IDENTIFIERS)))
            yield head + luck.choice(BEGINNINGS) + _random(luck, signs)


def _random(luck: Random, signs: str) -> str:
    length = luck.randrange(_LONGEST)
    if signs:
        return "".join(luck.choices(signs, k=length))
    return luck.randbytes(length).decode("latin-1")


def _changed(text: str, luck: Random) -> str:
    """Change a text in a few places."""
    for _ in range(luck.randrange(4)):
        at = luck.randrange(len(text) + 1)
        cut = at + luck.randrange(3)
        text = text[:at] + _random(luck, GS1_LIKE)[: luck.randrange(3)] + text[cut:]
        if luck.random() < 0.1:
            text = text[:at] + text[: luck.randrange(len(text) + 1)] + text[at:]
    return luck.choice(("", luck.choice(IDENTIFIERS))) + text


def _examples() -> list[str]:
    """Return every string in the vectors, short enough to be a label's."""
    return [
        text
        for file in sorted(_VECTORS.rglob("*.json"))
        for text in _strings(json.loads(file.read_bytes()))
        if len(text) <= 2 * _LONGEST
    ]


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)


def run(count: int, seed: int) -> tuple[Counter[str], float]:
    """Read so many texts; return how many keys of each kind, and the longest time.

    Raises:
        AssertionError: A key is not whole; it says of what text.
    """
    kinds: Counter[str] = Counter()
    slowest = 0.0
    for raw, _ in zip(texts(Random(seed)), range(count), strict=False):  # noqa: S311 - the same texts for the same seed
        for site in (Site(), SITE):
            begun = time.perf_counter()
            key = parse(raw, site)
            slowest = max(slowest, time.perf_counter() - begun)
            assert is_whole(key, raw), f"{raw!r} was read as {key!r}"
            kinds[key.kind.value] += 1
    return kinds, slowest


def main(arguments: list[str]) -> int:
    """Run, and say what was found; return the exit status."""
    count = int(arguments[0]) if arguments else 1_000_000
    seed = int(arguments[1]) if len(arguments) > 1 else int(time.time())
    begun = time.monotonic()
    kinds, slowest = run(count, seed)
    took = time.monotonic() - begun
    shown = ", ".join(f"{kind} {number}" for kind, number in kinds.most_common())
    print(
        f"{count} texts, each read twice, in {took:.0f} s (seed {seed}): no exception, "
        f"every key whole; the slowest took {slowest * 1000:.1f} ms\n{shown}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
