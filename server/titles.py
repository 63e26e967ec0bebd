"""The words of a title or a remark, as they are looked for. Pure.

Case and accents make no difference, and what is no letter and no digit parts words. So
whoever types what he remembers finds it, whichever database looks.
"""

import unicodedata
from itertools import islice

from shared.hosts import Topic
from shared.lines import Line

__all__ = ["LONGEST", "MOST", "TABLES", "looked_for", "stands_alone", "words"]

TABLES = {Topic.TITLE: "title", Topic.REMARK: "remark"}
"""What words are looked for of, and the table of either database that has them."""

MOST = 24
"""Words of one title or remark that are looked for; the rest of it is not."""
LONGEST = 40
"""Characters of a word that count."""


def words(title: str) -> list[str]:
    """Return the words of a text, each once, in its order."""
    parted = unicodedata.normalize("NFKD", title).casefold()
    bare = (c for c in parted if not unicodedata.combining(c))
    found = "".join(c if c.isalnum() else " " for c in bare).split()
    return list(islice(dict.fromkeys(word[:LONGEST] for word in found), MOST))


def looked_for(topic: int, line: Line) -> str:
    """Return a line's words that are looked for under a topic, parted by blanks."""
    said = {Topic.TITLE.value: line.title, Topic.REMARK.value: line.text}
    return " ".join(words(said.get(topic) or ""))


def stands_alone(word: str) -> bool:
    """Whether a word is looked for as it is, and not as the beginning of one.

    One letter or digit begins far too many; "Lorry 5" is not lorry 57.
    """
    return len(word) == 1 and word.isascii()
