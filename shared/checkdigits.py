"""Check digits: what tells a misread number from a number.

Every function takes the number with its check character at the end, in ASCII and in
upper case, and says whether the two agree. None raises for digits and letters.
"""

from collections.abc import Callable, Sequence
from itertools import cycle

__all__ = ["Check", "dhl_mod7", "fedex_mod11", "gs1", "iso7064_37_36", "s10", "ups"]

Check = Callable[[str], bool]

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _weighted(digits: str, weights: Sequence[int]) -> int:
    """Sum digit times weight, from the left; the weights repeat."""
    return sum(
        int(digit) * weight
        for digit, weight in zip(digits, cycle(weights), strict=False)
    )


def gs1(number: str) -> bool:
    """Say whether the last digit is right by GS1 General Specifications, 7.9.1.

    Modulo 10 with the weights 3, 1, 3 … from the right: GTIN, SSCC, GLN, GSIN, GRAI.
    USPS Publication 199 (IMpb) and FedEx Ground use the same.
    """
    total = _weighted(number[-2::-1], (3, 1)) + int(number[-1])
    return total % 10 == 0


def ups(number: str) -> bool:
    """Say whether the last digit is right by UPS's rule for 1Z numbers.

    Modulo 10 with the weights 1, 2 from the left, doubles not reduced; a letter counts
    as its place in ASCII less 63, modulo 10 (A is 2). Source: UPS Tracking Number
    Check Digit Calculation, in the Guide to Labeling.
    """
    values = (
        int(char) if char.isdigit() else (ord(char) - 63) % 10 for char in number[:-1]
    )
    total = sum(
        value * weight for value, weight in zip(values, cycle((1, 2)), strict=False)
    )
    return (total + int(number[-1])) % 10 == 0


def _mod11_mod10(number: str, weights: Sequence[int]) -> bool:
    return _weighted(number[:-1], weights) % 11 % 10 == int(number[-1])


def fedex_mod11(number: str) -> bool:
    """Say whether the last digit is right by FedEx Express's rule.

    Modulo 11, then modulo 10, with the weights 1, 3, 7 from the right.
    Source: FedEx Ship Manager barcode specification.
    """
    return _mod11_mod10(number[-2::-1] + number[-1], (1, 3, 7))


def dhl_mod7(number: str) -> bool:
    """Say whether the last digit is what is left of the rest divided by 7.

    DHL Express waybills, as air waybills of IATA Resolution 600a.
    """
    return int(number[:-1]) % 7 == int(number[-1])


def s10(number: str) -> bool:
    """Say whether the ninth of nine digits is right by UPU S10, annex on check digits.

    Weights 8 6 4 2 3 5 9 7; 11 less the sum modulo 11, with 10 as 0 and 11 as 5.
    """
    rest = 11 - _weighted(number[:8], (8, 6, 4, 2, 3, 5, 9, 7)) % 11
    return {10: 0, 11: 5}.get(rest, rest) == int(number[8])


def iso7064_37_36(number: str) -> bool:
    """Say whether the last character is right by ISO/IEC 7064 MOD 37,36."""
    product = 36
    for char in number[:-1]:
        total = (product + _ALPHABET.index(char)) % 36 or 36
        product = total * 2 % 37
    return (product + _ALPHABET.index(number[-1])) % 36 == 1
