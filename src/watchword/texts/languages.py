"""The languages watchword speaks: one file each, and how one is found for a locale or a country."""

import tomllib
from functools import cache
from importlib.resources import files

from watchword.record import Record

FALLBACK = "en"
ALIASES = {  # what is asked for → the tag we have
    "iw": "he",
    "in": "id",
    "no": "nb",
    "nn": "nb",
    "tl": "fil",
    "zh-hk": "zh-Hant",
    "zh-mo": "zh-Hant",
    "zh-tw": "zh-Hant",
}
RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})


class Language(Record, frozen=True):
    """One language's texts, with `{{code}}`, `{{friendly_name}}` and `{{ttl}}` to be filled in."""

    tag: str
    name: str  # in the language itself
    voice: str  # what a text-to-speech engine is asked for
    code: str
    do_not_share: str
    expires: str
    spoken: str
    again: str
    press: str  # asks for a key before a call says the code
    subject: str
    ignore: str

    @property
    def direction(self) -> str:
        return "rtl" if self.tag in RIGHT_TO_LEFT else "ltr"


@cache
def languages() -> dict[str, Language]:
    """Return every language by its tag, in the order of the tags."""
    found = {}
    for file in files("watchword.texts").joinpath("languages").iterdir():
        if file.name.endswith(".toml"):
            tag = file.name.removesuffix(".toml")
            found[tag] = Language(tag=tag, **tomllib.loads(file.read_text("utf-8")))
    return dict(sorted(found.items()))


def find_language(locale: str) -> Language | None:
    """Return the language of a locale such as `pt_BR`, `fr-CA` or `zh-Hant-TW`, or None."""
    wanted = locale.strip().replace("_", "-").lower()
    known = {tag.lower(): language for tag, language in languages().items()}
    while wanted:
        found = known.get(ALIASES.get(wanted, wanted).lower())
        if found:
            return found
        wanted = wanted.rpartition("-")[0]
    return None


def language_of_country(country: str) -> Language:
    """Return the language a country's numbers get when nobody names one."""
    return languages()[_countries().get(country, FALLBACK)]


@cache
def _countries() -> dict[str, str]:
    table = tomllib.loads(files("watchword.texts").joinpath("countries.toml").read_text("utf-8"))
    return {country: tag for tag, countries in table.items() for country in countries}
