"""Unpack the kernel: an ELF file starts at once, where unpacking is emulated slowly.

A compressed kernel is a bzImage (the kernel's Documentation/arch/x86/boot.rst), and the
payload of Debian's is xz.
"""

import lzma
import struct
import sys
from pathlib import Path

_SETUP_SECTORS, _PAYLOAD_OFFSET, _PAYLOAD_LENGTH = 0x1F1, 0x248, 0x24C


def unpacked(image: bytes) -> bytes:
    """Return the ELF file in a bzImage.

    Raises:
        ValueError: It holds something else.
    """
    (offset,) = struct.unpack_from("<I", image, _PAYLOAD_OFFSET)
    (length,) = struct.unpack_from("<I", image, _PAYLOAD_LENGTH)
    start = (1 + (image[_SETUP_SECTORS] or 4)) * 512 + offset
    elf = lzma.LZMADecompressor().decompress(image[start : start + length])
    if not elf.startswith(b"\x7fELF"):
        reason = "the kernel's payload is no ELF file"
        raise ValueError(reason)
    return elf


if __name__ == "__main__":
    Path(sys.argv[2]).write_bytes(unpacked(Path(sys.argv[1]).read_bytes()))
