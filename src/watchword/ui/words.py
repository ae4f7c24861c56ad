"""The hosted page's words: one catalogue a language, and the names of countries in it."""

import json
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import phonenumbers
from markupsafe import Markup

HERE = Path(__file__).parent / "words"
FALLBACK = "en"
LANGUAGES = tuple(sorted(path.stem for path in HERE.glob("*.json")))
RIGHT_TO_LEFT = frozenset({"ar", "fa", "he"})
OLD_NAMES = {"iw": "he", "in": "id"}  # what old browsers still say
# Where a language alone names no country, the one with most of its phones.
HOMES = {
    "ar": "EG",
    "de": "DE",
    "en": "US",
    "es": "MX",
    "fa": "IR",
    "fr": "FR",
    "he": "IL",
    "hi": "IN",
    "id": "ID",
    "it": "IT",
    "ja": "JP",
    "ko": "KR",
    "nl": "NL",
    "pl": "PL",
    "pt": "BR",
    "ru": "RU",
    "sw": "TZ",
    "tr": "TR",
    "uk": "UA",
    "zh": "CN",
}


@dataclass(frozen=True)
class Words:
    """One language: call it with a message's id and values for what stands in braces."""

    language: str
    messages: dict[str, str] = field(repr=False)
    by_mail: bool = False  # of an e-mail address some things are said in other words

    @property
    def direction(self) -> str:
        """Return `rtl` or `ltr`."""
        return "rtl" if self.language in RIGHT_TO_LEFT else "ltr"

    def __call__(self, name: str, **values: object) -> Markup:
        """Return a message, safe to put into a page; values are escaped unless they are Markup."""
        text = self.messages.get(f"email.{name}") if self.by_mail else None
        return Markup(text or self.messages[name]).format(**values)  # noqa: S704  # our own catalogue

    def of_mail(self) -> "Words":
        """Return the same language for a page about an e-mail address."""
        return replace(self, by_mail=True)

    def duration(self, seconds: int) -> str:
        """Say a duration in its largest fitting unit, rounded up."""
        if seconds < 60:
            return self("unit.seconds", n=max(seconds, 1))
        if seconds < 7200:
            return self("unit.minutes", n=-(-seconds // 60))
        return self("unit.hours", n=-(-seconds // 3600))


@lru_cache(maxsize=len(LANGUAGES))
def words_in(language: str) -> Words:
    """Return one language's words."""
    return Words(language, json.loads((HERE / f"{language}.json").read_text()))


def choose(wanted: str, accepted: str) -> tuple[Words, str]:
    """Return the words for a locale that was asked for, else for an Accept-Language header.

    The second is the country the locale or the header names, or the language's own.
    """
    for tag in (wanted, *_by_preference(accepted)):
        language, _, rest = tag.replace("_", "-").partition("-")
        language = OLD_NAMES.get(language.lower(), language.lower())
        if language in LANGUAGES:
            region = rest.rpartition("-")[2].upper()
            known = region in phonenumbers.SUPPORTED_REGIONS
            return words_in(language), region if known else HOMES[language]
    return words_in(FALLBACK), HOMES[FALLBACK]


@lru_cache(maxsize=len(LANGUAGES))
def countries_in(language: str) -> tuple[tuple[str, str], ...]:
    """Return every country that has phones, as its ISO code and its name with calling code."""
    names: dict[str, str] = json.loads((HERE / "countries" / f"{language}.json").read_text())
    listed = sorted((name, code) for code, name in names.items())
    return tuple(
        (code, f"{name} (+{phonenumbers.country_code_for_region(code)})") for name, code in listed
    )


def _by_preference(header: str) -> list[str]:
    weighed = []
    for part in header.split(",")[:20]:
        tag, _, parameters = part.partition(";")
        weight = parameters.strip().removeprefix("q=") or "1"
        try:
            weighed.append((-float(weight), tag.strip()))
        except ValueError:
            continue
    return [tag for _, tag in sorted(weighed, key=lambda pair: pair[0])]
