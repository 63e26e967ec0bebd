"""The words of the station, one file a language: ``en.toml``, ``de.toml``, ``es.toml``.

Another language is another file with the same keys. A file with a key too few, too
many, or with a value that no sentence has is refused when the station starts.
"""

from edge.texts.files import LANGUAGES, read_texts
from edge.texts.wording import Texts, alarmed, detail, mode_name, said

__all__ = [
    "LANGUAGES",
    "Texts",
    "alarmed",
    "detail",
    "mode_name",
    "read_texts",
    "said",
]
