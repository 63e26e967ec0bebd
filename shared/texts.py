"""What is wrong with the texts of a language, held against those of another. Pure.

Texts are tables of templates; a value is put in by its name in braces.
"""

from collections.abc import Iterator, Mapping
from string import Formatter

__all__ = ["Tables", "misfits", "spoken_of", "unlike"]

Tables = Mapping[str, Mapping[str, str]]


def unlike(
    mine: Tables, pattern: Tables, open_: frozenset[str] = frozenset()
) -> Iterator[str]:
    """Yield what a language lacks of another, or has more than it.

    Args:
        mine: The tables of the language.
        pattern: Those of the language that it has to match.
        open_: The tables to which names may be added.
    """
    for name, table in pattern.items():
        own = mine.get(name, {})
        yield from (f"[{name}] lacks {key}" for key in table if key not in own)
        extra = [key for key in own if key not in table and name not in open_]
        yield from (f"[{name}] {key} is not known; is it spelt right?" for key in extra)
    yield from (f"[{name}] is not known" for name in mine if name not in pattern)


def misfits(where: str, text: str, values: frozenset[str]) -> Iterator[str]:
    """Yield the values that a template speaks of and cannot have."""
    if not text.strip():
        yield f"{where} is empty"
    try:
        unknown = spoken_of(text) - values
    except ValueError as error:
        yield f"{where}: {error}; write a brace that is only text as {{{{ or }}}}"
    else:
        listed = ", ".join(f"{{{name}}}" for name in sorted(values)) or "no values"
        for name in sorted(unknown):
            yield f"{where} speaks of {{{name}}}; it can speak of: {listed}"


def spoken_of(template: str) -> frozenset[str]:
    """Return the values that a template speaks of.

    Raises:
        ValueError: It is no template of plain names.
    """
    parsed = list(Formatter().parse(template))
    if any(spec or conversion for _, _, spec, conversion in parsed):
        reason = "a value is a name in braces, and nothing else"
        raise ValueError(reason)
    return frozenset(name for _, name, _, _ in parsed if name is not None)
