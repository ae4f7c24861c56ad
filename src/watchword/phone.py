"""Phone numbers: one canonical E.164 form for every spelling, or a refusal."""

import re
import unicodedata
from functools import lru_cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberType

from watchword.errors import InvalidParameter
from watchword.numbering import calling_code_of, region_of
from watchword.record import Record

LONGEST_INPUT = 64  # E.164 has 15 digits; the rest is room for spaces, brackets and tel:
PREFIX_DIGITS, HIDDEN_DIGITS = 7, 6
NEVER = frozenset(
    {
        PhoneNumberType.PREMIUM_RATE,
        PhoneNumberType.SHARED_COST,
        PhoneNumberType.PAGER,
        PhoneNumberType.UAN,
        PhoneNumberType.VOICEMAIL,
    }
)
LINE_TYPES = {PhoneNumberType.FIXED_LINE: "landline", PhoneNumberType.VOIP: "voip"}
SATELLITE = frozenset({870, 878, 881, 882, 883, 979})  # not tied to a country, dear to text
SPELLING = re.compile(r"\+?[0-9 ().-]+")
TEL_URI = re.compile(
    r"tel:(?P<number>[^;]+)(?:;phone-context=(?P<context>\+[0-9-]+))?", re.IGNORECASE
)
PLUS_SIGNS = str.maketrans({"＋": "+", "﹢": "+", "₊": "+", "⁺": "+"})


class Phone(Record, frozen=True):
    """A number that can be texted: `e164` is its one spelling, `country` its ISO code or `001`."""

    e164: str
    country: str

    @property
    def to(self) -> str:
        return self.e164

    @property
    def line_type(self) -> str:
        """Say `mobile`, `landline` or `voip`, as far as the digits tell; `mobile` in doubt."""
        kind = phonenumbers.number_type(phonenumbers.parse(self.e164))
        return LINE_TYPES.get(kind, "mobile")

    def __repr__(self) -> str:
        return f"Phone({mask(self.e164)}, {self.country})"


@lru_cache(maxsize=8192)
def parse(text: str, region: str | None = None) -> Phone:
    """Return the one phone that `text` spells.

    Without `region` (an ISO country code) the number must begin with `+`. Letters, extensions,
    control characters, two numbers in one text and numbers no subscriber can have are refused
    with InvalidParameter("To"): the library alone drops some of them in silence.
    """
    region_code = region_of(text)
    if region_code is not None:
        return Phone(text, region_code)
    spelling = _ascii(text)
    if region is None and not spelling.startswith("+"):
        hint = "; in a form, + is written %2B" if text.startswith(" ") else ""  # + means a space
        raise _refusal(
            f"write the number in E.164 form, beginning with + and the country code{hint}"
        )
    try:
        number = phonenumbers.parse(spelling, region)
    except NumberParseException as fault:
        raise _refusal("this is not a phone number") from fault
    if number.extension or not phonenumbers.is_valid_number(number):
        raise _refusal("no subscriber can have this number; check the country code and the digits")
    if number.country_code in SATELLITE or phonenumbers.number_type(number) in NEVER:
        raise _refusal("premium, satellite, shared-cost and pager numbers are not served")
    return Phone(
        e164=phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164),
        country=phonenumbers.region_code_for_number(number) or "001",
    )


def prefix(e164: str) -> str:
    """Return where a number leads: its first digits, never the last six, which say to whom."""
    return e164[:-HIDDEN_DIGITS][: 1 + PREFIX_DIGITS]


def mask(e164: str) -> str:
    """Hide a number for logs and pages: the country code and the last two digits stay."""
    calling_code = calling_code_of(e164) if e164.startswith("+") else ""
    if not calling_code:
        return "•" * 8
    hidden = len(e164) - 1 - len(calling_code) - 2
    return f"+{calling_code}{'•' * max(hidden, 1)}{e164[-2:]}"


def _ascii(text: str) -> str:
    """Fold every script's digits, pluses and spaces to ASCII; refuse what is left over."""
    if len(text) > LONGEST_INPUT:
        raise _refusal("this is too long for a phone number")
    folded = "".join(_fold(character) for character in text.translate(PLUS_SIGNS)).strip()
    uri = TEL_URI.fullmatch(folded)
    if uri:
        local = uri["number"]
        folded = local if local.startswith("+") else (uri["context"] or "") + local
    if not SPELLING.fullmatch(folded):
        raise _refusal("digits, spaces, brackets, dots and dashes are all a number may hold")
    return folded


def _fold(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Nd":
        return str(unicodedata.decimal(character))
    if category == "Zs":
        return " "
    if category == "Pd":
        return "-"
    if category == "Cf":  # bidi marks and zero-width spaces come along when a number is pasted
        return ""
    return character


def _refusal(message: str) -> InvalidParameter:
    return InvalidParameter("To", message)
