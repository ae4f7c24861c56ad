"""Codes: derived, spread evenly over all their digits, different for every verification."""

from collections import Counter

import pytest

from watchword import codes
from watchword.keys import Key

KEY = Key.from_secret(b"k" * 32)
OTHER = Key.from_secret(b"o" * 32)
SID = "VE" + "0" * 32
# The 0.1 % point of chi-square with 9 degrees of freedom: a fair source exceeds it once in 1,000.
CHI_SQUARE_9 = 27.88


@pytest.mark.parametrize("length", [4, 5, 6, 7, 8, 9, 10])
def test_a_code_has_exactly_its_digits(length: int) -> None:
    code = codes.derive(KEY, SID, "nonce", length)

    assert len(code) == length
    assert code.isascii()
    assert code.isdigit()


def test_a_code_is_the_same_for_the_same_verification() -> None:
    assert codes.derive(KEY, SID, "n", 6) == codes.derive(KEY, SID, "n", 6)


def test_a_code_hangs_on_key_sid_and_nonce() -> None:
    of = {
        codes.derive(KEY, SID, "n", 10),
        codes.derive(OTHER, SID, "n", 10),
        codes.derive(KEY, SID, "m", 10),
        codes.derive(KEY, "VE" + "1" * 32, "n", 10),
    }

    assert len(of) == 4


@pytest.mark.parametrize("length", [6, 10])
def test_every_digit_is_equally_likely_in_every_place(length: int) -> None:
    amount = 40_000
    made = [codes.derive(KEY, SID, str(number), length) for number in range(amount)]

    for place in range(length):
        seen = Counter(code[place] for code in made)
        expected = amount / 10
        chi_square = sum((seen[digit] - expected) ** 2 / expected for digit in "0123456789")
        assert chi_square < CHI_SQUARE_9, f"place {place}: {chi_square}"


def test_leading_zeros_are_kept() -> None:
    made = {codes.derive(KEY, SID, str(number), 4) for number in range(40_000)}

    assert len({code for code in made if code.startswith("0")}) > 900


def test_what_is_kept_of_a_custom_code_tells_nothing_without_the_key() -> None:
    kept = codes.custom_mac(KEY, SID, "123456")

    assert "123456" not in kept
    assert kept != codes.custom_mac(OTHER, SID, "123456")
    assert kept != codes.custom_mac(KEY, "VE" + "1" * 32, "123456")
    assert codes.same(kept, codes.custom_mac(KEY, SID, "123456"))
