"""The languages: whole, and held to what the station says."""

import re
from pathlib import Path

import pytest

from edge import texts as package
from edge.decisions import State
from edge.feedback import Caption, Expect, Feedback, Notice, Says, Tone, Word
from edge.texts import LANGUAGES, detail, mode_name, read_texts, said
from edge.workflow import MODES
from shared.errors import ConfigError
from shared.faults import Fault
from shared.moments import span
from tests.unit.picker import Picker

FRENCH = (Path(package.__file__).parent / "es.toml").read_text()


def test_three_languages_come_with_the_station() -> None:
    assert set(LANGUAGES) >= {"en", "de", "es"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_has_a_text_for_everything(language: str) -> None:
    texts = read_texts(language)
    assert set(texts.words) == set(Word)
    assert set(texts.says) == set(Says)
    assert set(texts.expects) == set(Expect)
    assert set(texts.notices) == set(Notice)
    assert set(texts.captions) == set(Caption)
    assert set(texts.states) == {state.name.lower() for state in State}
    assert set(texts.modes) >= set(MODES)
    assert set(texts.done) >= {mode.action for mode in MODES.values()}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_tells_the_words_apart(language: str) -> None:
    texts = read_texts(language)
    assert len(set(texts.words.values())) == len(Word)
    assert len(set(texts.modes.values())) == len(texts.modes)
    assert len(set(texts.states.values())) == len(State)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_speaks_of_every_code_that_english_speaks_of(language: str) -> None:
    texts, english = read_texts(language), read_texts("en")
    codes = re.compile(r"\{_?(?:item|location|container|operator|number|command)\}")
    for says in Says:
        spoken = set(codes.findall(english.says[says]))
        assert spoken <= set(codes.findall(texts.says[says])), says


def test_a_site_puts_a_language_of_its_own_beside_them(tmp_path: Path) -> None:
    (tmp_path / "fr.toml").write_text(FRENCH.replace('"Español"', '"Français"'))
    assert read_texts("fr", tmp_path).name == "Français"
    assert read_texts("de", tmp_path).name == "Deutsch"


def test_a_site_changes_a_language_and_names_its_own_modes(tmp_path: Path) -> None:
    text = FRENCH.replace("[modes]", '[modes]\nquarantine = "Cuarentena"')
    (tmp_path / "es.toml").write_text(text)
    assert mode_name("quarantine", read_texts("es", tmp_path)) == "CUARENTENA"
    assert mode_name("quarantine", read_texts("es")) == "QUARANTINE"


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('rescan = "la misma etiqueta otra vez"\n', "", r"\[expects\] lacks rescan"),
        ('busy = "el servidor está ocupado"\n', "", r"\[states\] lacks busy"),
        ("[states]", '[states]\nbuzy = "x"', r"\[states\] buzy is not known"),
        ("[words]", '[words]\nsavd = "x"', "savd"),
        ('"REPETIDO"', '" "', r"\[words\] repeat is empty"),
        ('"está en {location}"', '"está en {locaton}"', r"speaks of \{locaton\}"),
        ('"está en {location}"', '"está en {location"', "expected '}'"),
        ('"está en {location}"', '"{location!r}"', "and nothing else"),
        ('"está en {location}"', '"{location.x}"', r"speaks of \{location.x\}"),
        ("[words]", "[wrds]", "wrds"),
    ],
)
def test_a_language_that_is_not_whole_is_refused_with_its_key(
    tmp_path: Path, old: str, new: str, problem: str
) -> None:
    assert old in FRENCH
    (tmp_path / "fr.toml").write_text(FRENCH.replace(old, new, 1))
    with pytest.raises(ConfigError, match=problem):
        read_texts("fr", tmp_path)


def test_a_language_that_is_not_there_names_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"there are de, en, es, or put fr\.toml"):
        read_texts("fr", tmp_path)
    with pytest.raises(ConfigError, match=r"no texts for '\.\./en'"):
        read_texts("../en", tmp_path / "none")


def test_a_sentence_is_made_in_the_language() -> None:
    told = Feedback(
        tone=Tone.GOOD,
        word=Word.SAVED,
        code="P-1",
        says=Says.DONE,
        names={"action": "store", "item": "P-1", "location": "A-01"},
        mode="store",
        expects=Expect.ITEM,
    )
    assert detail(told, read_texts("de")) == "P-1 eingelagert am Platz A-01"
    assert detail(told, read_texts("es")) == "P-1 almacenado en A-01"


def test_a_notice_without_a_value_reads_as_nothing() -> None:
    assert said(Notice.SCANNER_BACK, read_texts("en")) == "scanner  is back"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "0 s"),
        (0.4, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3600, "1 h 0 min"),
        (8000, "2 h 13 min"),
        (90_061, "1 d 1 h"),
    ],
)
def test_a_span_is_written_in_its_two_largest_units(seconds: float, text: str) -> None:
    assert span(seconds) == text


def test_every_fault_of_a_label_is_said_in_every_language() -> None:
    for language in LANGUAGES:
        faults = read_texts(language).faults
        assert faults.keys() == {fault.name.lower() for fault in Fault}
        for fault in Fault:
            assert faults[fault.name.lower()].count("{}") == fault.value.count("{}")
    english = read_texts("en").faults
    assert [english[fault.name.lower()] for fault in Fault] == [f.value for f in Fault]


def test_why_a_label_is_no_package_is_said_in_the_stations_language() -> None:
    told = Picker().scan("]C100340123450000000019")
    assert detail(told, read_texts("de")) == (
        "das ist kein Packstück: Die Prüfziffer von (00) stimmt nicht. Bitte noch "
        "einmal scannen; bleibt es dabei, ist das Etikett falsch gedruckt."
    )
    assert "(00) is wrong" in detail(told, read_texts("en"))
