"""Numbering plans: the short way to a number's region agrees with the library's long one."""

import random

import phonenumbers
import pytest

from watchword import phone
from watchword.errors import InvalidParameter
from watchword.numbering import region_of

LONG_WAY = phone.parse.__wrapped__


def examples(region: str) -> list[str]:
    """Return an example of every type of number in a region, and its neighbours."""
    chance = random.Random(region)
    found = []
    for kind in range(11):
        number = phonenumbers.example_number_for_type(region, kind)
        if number is None:
            continue
        e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        found.append(e164)
        for _ in range(4):
            place = chance.randrange(2, len(e164))
            found.append(e164[:place] + chance.choice("0123456789") + e164[place + 1 :])
        found += [e164[:-1], e164 + "0", e164[:3] + "0" + e164[3:]]
    return found


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_the_short_way_agrees_with_the_library(
    region: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = examples(region)
    short = {number: region_of(number) for number in numbers}
    monkeypatch.setattr(phone, "region_of", lambda _: None)

    for number, found in short.items():
        if found is None:
            continue
        try:
            long = LONG_WAY(number)
        except InvalidParameter:
            pytest.fail(f"{number} is refused by the library and not by the plan")
        assert (number, found) == (long.e164, long.country)


def test_the_short_way_is_taken_by_ordinary_numbers() -> None:
    taken = 0
    for region in phonenumbers.SUPPORTED_REGIONS:
        number = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
        if number is not None:
            e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
            taken += region_of(e164) is not None

    assert taken > 220
