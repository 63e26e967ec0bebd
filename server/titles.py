"""The words of a title, as they are looked for. Pure.

Case and accents make no difference, and what is no letter and no digit parts words. So
whoever types what he remembers finds it, whichever database looks.
"""

import unicodedata
from itertools import islice

__all__ = ["LONGEST", "MOST", "words"]

MOST = 24
"""Words of one title that are looked for; the rest of it is not."""
LONGEST = 40
"""Characters of a word that count."""


def words(title: str) -> list[str]:
    """Return the words of a title, each once, in its order."""
    parted = unicodedata.normalize("NFKD", title).casefold()
    bare = (c for c in parted if not unicodedata.combining(c))
    found = "".join(c if c.isalnum() else " " for c in bare).split()
    return list(islice(dict.fromkeys(word[:LONGEST] for word in found), MOST))
