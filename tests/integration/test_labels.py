"""Print, look at the print, decode, parse: the whole way of a label."""

import argparse
import re
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import reportlab
import zxingcpp
from PIL import Image, ImageDraw

from server.client.label_source import KINDS
from server.client.labels import add_labels
from shared.commands import COMMANDS
from shared.errors import StartError
from shared.keys import Key, Kind, parse
from shared.selftest import PROBES

SVG = "{http://www.w3.org/2000/svg}"
DOTS = 16  # to the millimetre: two for each dot of a 203 dpi printer
RUN = re.compile(r"M([\d.]+) ([\d.]+)h([\d.]+)v([\d.]+)h-[\d.]+z")
PDFTOPPM = shutil.which("pdftoppm")


def parser() -> argparse.ArgumentParser:
    whole = argparse.ArgumentParser()
    add_labels(whole.add_subparsers())
    return whole


async def printed(*arguments: str | Path) -> None:
    options = parser().parse_args(["labels", *map(str, arguments)])
    await options.run(options)


def picture(svg: bytes) -> Image.Image:
    """Fill the paths of an SVG into a picture, as a printer would."""
    root = ET.fromstring(svg)  # noqa: S314 - made by the program under test
    width, height = (float(root.attrib[side][:-2]) for side in ("width", "height"))
    image = Image.new("L", (round(width * DOTS), round(height * DOTS)), 255)
    pen = ImageDraw.Draw(image)
    for path in root.iter(f"{SVG}path"):
        for run in RUN.findall(path.attrib["d"]):
            x, y, wide, high = (float(number) * DOTS for number in run)
            corners = (round(x), round(y), round(x + wide) - 1, round(y + high) - 1)
            pen.rectangle(corners, fill=0)
    return image


def texts(svg: bytes) -> list[str]:
    root = ET.fromstring(svg)  # noqa: S314 - made by the program under test
    return [text.text or "" for text in root.iter(f"{SVG}text")]


def decoded(image: Image.Image) -> list[str]:
    """Read all symbols as a scanner sends them, from top to bottom."""
    found = sorted(
        zxingcpp.read_barcodes(image), key=lambda one: one.position.top_left.y
    )
    return [one.symbology_identifier + one.bytes.decode("latin-1") for one in found]


def keys(image: Image.Image) -> set[Key]:
    return {parse(raw) for raw in decoded(image)}


@pytest.mark.parametrize("kind", ["parcels", "containers", "loads", "badges"])
@pytest.mark.parametrize("symbology", ["code128", "datamatrix", "qr"])
async def test_every_kind_comes_back_from_its_print(
    tmp_path: Path, kind: str, symbology: str
) -> None:
    file = tmp_path / "a.svg"
    await printed(kind, "--symbology", symbology, "--count", "5", "--output", file)
    read = keys(picture(file.read_bytes()))
    sort = KINDS[kind]
    assert {(key.kind, key.role) for key in read} == {(sort.kind, sort.role)}
    assert {key.text for key in read} == {
        f"{sort.letter}-00000{number}" for number in range(1, 6)
    }


async def test_a_location_comes_back_without_its_letter(tmp_path: Path) -> None:
    file = tmp_path / "a.svg"
    options = ("--prefix", "north.a-", "--digits", "2", "--count", "1")
    await printed("locations", *options, "--output", file)
    [key] = keys(picture(file.read_bytes()))
    assert (key.kind, key.text) == (Kind.LOCATION, "NORTH.A-01")


async def test_every_command_comes_back_from_the_command_sheet(tmp_path: Path) -> None:
    file = tmp_path / "a.svg"
    await printed("commands", "--cut-marks", "--output", file)
    read = keys(picture(file.read_bytes()))
    assert {key.text for key in read} == set(COMMANDS)
    assert {key.kind for key in read} == {Kind.COMMAND}
    assert set(COMMANDS.values()) <= set(texts(file.read_bytes()))


@pytest.mark.parametrize("size", ["62mm", "100x150"])
async def test_a_roll_has_one_label_to_a_page(tmp_path: Path, size: str) -> None:
    await printed(
        "parcels", "--size", size, "--count", "2", "--output", tmp_path / "a.svg"
    )
    read = [
        decoded(picture((tmp_path / f"a-{page}.svg").read_bytes())) for page in (1, 2)
    ]
    assert read == [["]C0P-000001"], ["]C0P-000002"]]


async def test_the_set_up_sheet_reads_as_it_says(tmp_path: Path) -> None:
    file = tmp_path / "a.svg"
    await printed("setup", "--output", file)
    assert decoded(picture(file.read_bytes())) == [probe.raw for probe in PROBES]
    shown = texts(file.read_bytes())
    for probe in PROBES:
        assert probe.raw.endswith(probe.data)
        assert probe.raw.replace("\x1d", "<GS>") in shown


def rasterise(pdf: Path) -> None:
    """Make the first page a picture of 300 dots to the inch, beside it."""
    command = [str(PDFTOPPM), "-r", "300", "-gray", "-singlefile", str(pdf), pdf.stem]
    subprocess.run(command, cwd=pdf.parent, check=True, timeout=60)


@pytest.mark.skipif(
    PDFTOPPM is None, reason="there is no pdftoppm (Debian: poppler-utils)"
)
@pytest.mark.parametrize("kind", ["setup", "commands", "locations"])
async def test_pdf_and_svg_hold_the_same_codes(tmp_path: Path, kind: str) -> None:
    for name in ("a.pdf", "a.svg"):
        await printed(kind, "--output", tmp_path / name)
    rasterise(tmp_path / "a.pdf")
    with Image.open(tmp_path / "a.pgm") as image:
        from_pdf = sorted(decoded(image))
    assert from_pdf == sorted(decoded(picture((tmp_path / "a.svg").read_bytes())))


async def test_the_same_labels_are_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.pdf", "b.pdf"):
        await printed("loads", "--output", tmp_path / name)
    assert (tmp_path / "a.pdf").read_bytes() == (tmp_path / "b.pdf").read_bytes()


async def test_texts_are_data_in_svg(tmp_path: Path) -> None:
    rows = tmp_path / "a.csv"
    rows.write_text("A-1,</text><script>&\"'\n", encoding="utf-8")
    await printed("locations", "--file", rows, "--output", tmp_path / "a.svg")
    made = (tmp_path / "a.svg").read_bytes()
    assert b"<script" not in made
    assert "</text><script>&\"'" in texts(made)


async def test_letters_that_no_font_has_are_refused_and_never_garbled(
    tmp_path: Path,
) -> None:
    rows = tmp_path / "a.csv"
    rows.write_text("A-1,Склад\n", encoding="utf-8")
    with pytest.raises(StartError, match="--font"):
        await printed("locations", "--file", rows, "--output", tmp_path / "a.pdf")
    assert not (tmp_path / "a.pdf").exists()
    with pytest.raises(StartError, match="cannot be used as a font"):
        await printed("loads", "--font", rows, "--output", tmp_path / "a.pdf")
    await printed("locations", "--file", rows, "--output", tmp_path / "a.svg")
    assert "Склад" in texts((tmp_path / "a.svg").read_bytes())


async def test_a_font_of_one_s_own_is_used_for_what_it_has(tmp_path: Path) -> None:
    font = Path(reportlab.__file__).parent / "fonts" / "Vera.ttf"
    rows = tmp_path / "a.csv"
    for text in ("Œuvre", "漢"):
        rows.write_text(f"A-1,{text}\n", encoding="utf-8")
        options = ("--file", rows, "--font", font, "--output", tmp_path / "a.pdf")
        if text == "漢":
            with pytest.raises(StartError, match="no letters"):
                await printed("locations", *options)
        else:
            await printed("locations", *options)
            assert b"Vera" in (tmp_path / "a.pdf").read_bytes()


@pytest.mark.parametrize(
    ("symbology", "length", "grid"), [("code128", 30, "3x8"), ("qr", 100, "6x20")]
)
async def test_a_code_too_long_for_its_label_is_refused_with_a_way_out(
    tmp_path: Path, symbology: str, length: int, grid: str
) -> None:
    rows = tmp_path / "a.csv"
    rows.write_text("A" * length, encoding="utf-8")
    options = ("--symbology", symbology, "--grid", grid)
    with pytest.raises(StartError, match="larger label"):
        await printed(
            "parcels", "--file", rows, *options, "--output", tmp_path / "a.svg"
        )


async def test_several_pages_of_svg_need_files() -> None:
    with pytest.raises(StartError, match="--output"):
        await printed("parcels", "--size", "62mm", "--format", "svg", "--count", "2")


async def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="cannot be written"):
        await printed("loads", "--output", tmp_path / "none" / "a.pdf")


@pytest.mark.parametrize(
    "arguments",
    [
        ["nothing"],
        ["loads", "--grid", "0x1"],
        ["loads", "--digits", "13"],
        ["loads", "--from", "-1"],
        ["loads", "--count", "many"],
    ],
)
def test_options_that_make_no_sense_end_with_usage(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["labels", *arguments])
    assert "usage" in capsys.readouterr().err


def program(text: str) -> subprocess.CompletedProcess[bytes]:
    """Run a program that has ``run(*arguments)`` for the command."""
    head = (
        "import argparse, asyncio, sys\n"
        "from server.client.labels import add_labels\n"
        "def run(*arguments):\n"
        "    whole = argparse.ArgumentParser()\n"
        "    add_labels(whole.add_subparsers())\n"
        "    options = whole.parse_args(['labels', *arguments])\n"
        "    asyncio.run(options.run(options))\n"
    )
    return subprocess.run(
        [sys.executable, "-c", head + text], capture_output=True, check=True, timeout=60
    )


def test_without_an_output_the_pdf_goes_to_standard_output() -> None:
    made = program("run('loads')\n")
    assert made.stdout.startswith(b"%PDF-")
    assert made.stderr == b""


@pytest.mark.parametrize(
    ("library", "says"),
    [
        ("zxingcpp", b"pip install zxing-cpp"),
        ("reportlab", b"pip install 'scantrail[labels]'"),
    ],
)
def test_what_is_missing_for_labels_is_named(library: str, says: bytes) -> None:
    made = program(
        "assert 'zxingcpp' not in sys.modules and 'reportlab' not in sys.modules\n"
        f"sys.modules[{library!r}] = None\n"
        "try:\n"
        "    run('loads')\n"
        "except Exception as error:\n"
        "    print(type(error).__name__, error)\n"
    )
    assert made.stdout.startswith(b"StartError Labels")
    assert says in made.stdout


def test_labels_as_svg_need_no_extra() -> None:
    made = program(
        "sys.modules['reportlab'] = None\nrun('loads', '--format=svg', '--count=3')\n"
    )
    assert b"<svg" in made.stdout
