"""What a PDF says, read by a program of Debian's poppler-utils."""

import shutil
import subprocess

import pytest


def read(pdf: bytes, form: str = "-layout") -> str:
    """Return a PDF's text as it is laid out, or (``-bbox``) where each word stands."""
    program = shutil.which("pdftotext")
    if program is None:
        pytest.skip("there is no pdftotext (Debian: poppler-utils)")
    command = [program, form, "-", "-"]
    done = subprocess.run(command, input=pdf, capture_output=True, check=True)
    return done.stdout.decode()
