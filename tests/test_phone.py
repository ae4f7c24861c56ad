"""Phone numbers: every spelling of a number is one subject, and what is no number is refused."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword.errors import InvalidParameter
from watchword.phone import mask, parse

US = "+12025550143"
SAME = [
    "+1 (202) 555-0143",
    "+1 202 555 0143",
    "+1.202.555.0143",
    "＋１２０２５５５０１４３",
    "+١٢٠٢٥٥٥٠١٤٣",
    "+१२०२५५५०१४३",
    "+1202555٠143",
    "+𝟏𝟐𝟎𝟐𝟓𝟓𝟓𝟎𝟏𝟒𝟑",
    "+1\u00a0202\u00a0555\u00a00143",
    "+1\u200b2025550143",
    "\u202a+1 202 555 0143\u202c",
    "tel:+1-202-555-0143",
    "tel:2025550143;phone-context=+1",
    "  +12025550143  ",
    "+1‐202–555—0143",
]
OTHERS = [
    ("+44 (0)7400 123456", "+447400123456", "GB"),
    ("+44 0 7400 123456", "+447400123456", "GB"),
    ("+54 9 11 2345 6789", "+5491123456789", "AR"),
    ("+55 0 11 91234 5678", "+5511912345678", "BR"),
    ("+234 0 802 123 4567", "+2348021234567", "NG"),
    ("+237650000000", "+237650000000", "CM"),
    ("+39 06 6988 1234", "+390669881234", "VA"),
    ("+447911123456", "+447911123456", "GG"),
]
REFUSED = {
    "an extension in words": "+1 202-555-0143 ext 5",
    "an extension as a parameter": "+12025550143;ext=5",
    "dialled digits": "+12025550143,,1234#",
    "letters": "+1-800-FLOWERS",
    "a letter O": "+1202555O143",
    "too short": "+1 555 0100",
    "a trailing NUL": "+12025550143\x00",
    "a Mexican 1 before the area code": "+52 1 55 1234 5678",
    "a satellite": "+881612345678",
    "a premium number": "+19002345678",
    "three hundred pluses": "+" * 300,
    "251 digits": "+" + "1" * 250,
    "two numbers": "+12025550143 +12025550144",
    "two numbers with a slash": "+12025550143/12025550144",
    "circled digits": "+①②⓪②⑤⑤⑤⓪①④③",
    "no country code": "2025550143",
    "nothing": "",
    "a plus": "+",
    "words": "call me",
    "a line feed inside": "+1202\n5550143",
}


@pytest.mark.parametrize("spelling", SAME)
def test_every_spelling_of_a_number_is_the_same_subject(spelling: str) -> None:
    assert parse(spelling).e164 == US


@pytest.mark.parametrize(("spelling", "e164", "country"), OTHERS)
def test_a_number_has_one_form_and_a_country(spelling: str, e164: str, country: str) -> None:
    phone = parse(spelling)

    assert (phone.e164, phone.country) == (e164, country)


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED.keys())
def test_what_is_not_one_number_is_refused_by_the_name_to(text: str) -> None:
    with pytest.raises(InvalidParameter) as refusal:
        parse(text)

    assert refusal.value.name == "To"
    assert len(text) < 5 or text not in str(refusal.value)


def test_a_national_spelling_needs_a_region() -> None:
    assert parse("07400 123456", "GB").e164 == "+447400123456"
    assert parse("8 912 345 67 89", "RU").e164 == "+79123456789"


def test_a_long_text_is_refused_before_it_is_parsed() -> None:
    started = time.perf_counter()
    for _ in range(1000):
        with pytest.raises(InvalidParameter):
            parse("+" * 100_000)

    assert time.perf_counter() - started < 5  # a parse of such a text takes longer than this


DIGITS = ["0123456789", "٠١٢٣٤٥٦٧٨٩", "０１２３４５６７８９", "०१२३४५६७८९", "᠐᠑᠒᠓᠔᠕᠖᠗᠘᠙"]
BETWEEN = ["", " ", "-", ".", "\u00a0", "\u200b", "\u200e", "–"]


@given(st.data())
def test_no_respelling_makes_a_second_subject(data: st.DataObject) -> None:
    spelling = "+"
    for digit in "12025550143":
        between = data.draw(st.sampled_from(BETWEEN))
        spelling += between + data.draw(st.sampled_from(DIGITS))[int(digit)]

    try:
        assert parse(spelling).e164 == US
    except InvalidParameter:
        assert len(spelling) > 64


def test_a_mask_shows_the_country_code_and_two_digits() -> None:
    assert mask("+237650000042") == "+237•••••••42"
    assert mask("+12025550143") == "+1••••••••43"
    assert mask("not a number") == "••••••••"


def test_a_plus_that_a_form_turned_into_a_space_is_told_how_it_is_written() -> None:
    with pytest.raises(InvalidParameter, match="written %2B"):
        parse(" 237650000000")
    with pytest.raises(InvalidParameter) as refused:
        parse("237650000000")
    assert "%2B" not in str(refused.value)
