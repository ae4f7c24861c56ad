"""Numbering plans: what a number already in E.164 may be, compiled once per calling code.

The library's own `parse` takes as long for every form of a number. Most numbers that reach a
server are in canonical form, and for those a few compiled patterns of the same metadata answer in
a twentieth of the time. What they cannot answer for certain is left to the library.
"""

import re
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumberDesc

from watchword.record import Record

CANONICAL = re.compile(r"\+[1-9][0-9]{6,14}")
CALLING_CODES = phonenumbers.COUNTRY_CODE_TO_REGION_CODE
CALLING_CODE_TEXTS = frozenset(map(str, CALLING_CODES))
LONGEST_CALLING_CODE = 3
# The order in which the library asks what type a number is of; the first that fits is its type.
TYPES = (
    ("premium_rate", False),
    ("toll_free", True),
    ("shared_cost", False),
    ("voip", True),
    ("personal_number", True),
    ("pager", False),
    ("uan", False),
    ("voicemail", False),
    ("fixed_line", True),
    ("mobile", True),
)


class Region(Record, frozen=True):
    """One region of a calling code: how its numbers begin, and which of them are served."""

    code: str
    begins: re.Pattern[str] | None
    general: re.Pattern[str]
    types: tuple[tuple[frozenset[int], re.Pattern[str], bool], ...]

    def serves(self, national: str) -> bool | None:
        """Tell whether a number of this region is served; None when it is no number of it."""
        if not self.general.fullmatch(national):
            return None
        for lengths, pattern, served in self.types:
            if (not lengths or len(national) in lengths) and pattern.fullmatch(national):
                return served
        return None


class Plan(Record, frozen=True):
    """The regions of one calling code, and how a national prefix begins."""

    prefix: re.Pattern[str] | None
    regions: tuple[Region, ...]


def check_country(code: str) -> str:
    """Return a country's two letters as they are; raise ValueError where no number can be there.

    A rule about a country that is none would let everybody past it: `UK`, say, for `GB`.
    """
    if code not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError(f"{code} is no country that has phone numbers; GB or CM are")
    return code


def region_of(e164: str) -> str | None:
    """Return the region of a canonical number that is served, or None to have the library asked."""
    if not CANONICAL.fullmatch(e164):
        return None
    calling_code = calling_code_of(e164)
    plan = _plan(calling_code) if calling_code else None
    return _region(plan, e164[1 + len(calling_code) :]) if plan else None


def calling_code_of(e164: str) -> str:
    """Return the calling code that a canonical number begins with, or nothing for none."""
    for length in range(1, LONGEST_CALLING_CODE + 1):
        if e164[1 : 1 + length] in CALLING_CODE_TEXTS:
            return e164[1 : 1 + length]
    return ""


def _region(plan: Plan, national: str) -> str | None:
    if plan.prefix is not None and plan.prefix.match(national):
        return None  # the library may have to strip it
    for region in plan.regions:
        if region.begins is not None:
            if region.begins.match(national):
                return region.code if region.serves(national) else None
        else:
            served = region.serves(national)
            if served is not None:
                return region.code if served else None
    return None


@lru_cache(maxsize=1024)
def _plan(calling_code: str) -> Plan | None:
    regions = CALLING_CODES[int(calling_code)]
    found = [PhoneMetadata.metadata_for_region(region) for region in regions if region != "001"]
    known = [metadata for metadata in found if metadata is not None]
    if not known:
        return None
    prefix = known[0].national_prefix_for_parsing
    return Plan(
        prefix=re.compile(prefix) if prefix else None,
        regions=tuple(_compiled(metadata) for metadata in known),
    )


def _compiled(metadata: PhoneMetadata) -> Region:
    general: PhoneNumberDesc = metadata.general_desc or PhoneNumberDesc()
    types = []
    for name, served in TYPES:
        description: PhoneNumberDesc | None = getattr(metadata, name)
        if description is not None and description.national_number_pattern:
            pattern = re.compile(description.national_number_pattern)
            types.append((frozenset(description.possible_length), pattern, served))
    return Region(
        code=metadata.id,
        begins=re.compile(metadata.leading_digits) if metadata.leading_digits else None,
        general=re.compile(general.national_number_pattern or "(?!)"),
        types=tuple(types),
    )
