"""Write a message: choose its language and text, fill it in, add the lines that devices read."""

from collections.abc import Mapping

from watchword.model import Wording
from watchword.record import Hidden, Record, field
from watchword.texts.languages import FALLBACK, Language, find_language, language_of_country
from watchword.texts.template import Template, fill

WITHOUT_SPACES = frozenset({"ja", "zh", "zh-Hant"})


class Occasion(Record, frozen=True):
    """What a message is about: who sends it, the code, to which country, how long it is good."""

    name: str
    code: Hidden[str]
    country: str
    ttl_minutes: int


class Text(Record, frozen=True):
    """A message in words: `body` for SMS, `plain` elsewhere, `spoken` sentences for calls.

    `body` is `plain` with the lines that browsers and phones read codes from. The rest is written
    when a sender asks for it.
    """

    language: Language
    body: Hidden[str]
    plain: Hidden[str]
    values: Hidden[Mapping[str, str]]

    @property
    def spoken(self) -> tuple[str, str]:
        """Say it, and say it again, digit by digit."""
        said = {**self.values, "code": ", ".join(self.values["code"])}
        return fill(self.language.spoken, said), fill(self.language.again, said)

    @property
    def subject(self) -> str:
        """Head an e-mail."""
        return fill(self.language.subject, self.values)

    @property
    def footer(self) -> str:
        """Say how long the code is good, and what to do when nobody asked for it."""
        return f"{fill(self.language.expires, self.values)} {self.language.ignore}"


class Texts(Record, frozen=True):
    """The texts of one installation: our own languages, the operator's templates, his origin.

    `origin` is the host that browsers may fill the code in for (`example.com`); `default` names
    the template used where a request names none.
    """

    templates: Mapping[str, Template] = field(default_factory=dict)
    origin: str | None = None
    default: str | None = None

    def write(self, occasion: Occasion, wording: Wording) -> Text:
        """Return the message for one occasion."""
        language = _language(wording.locale, occasion.country)
        values = _values(occasion, wording)
        body = fill(self._text(language, wording), values)
        if wording.do_not_share:
            body = _joined(body, language)
        return Text(
            language=language,
            body=self._with_lines(body, occasion.code, wording.app_hash),
            plain=body,
            values=values,
        )

    def template(self, name_or_sid: str) -> Template | None:
        """Return the template of that name or sid, or None."""
        found = self.templates.get(name_or_sid)
        return found or next((t for t in self.templates.values() if t.sid == name_or_sid), None)

    def _text(self, language: Language, wording: Wording) -> str:
        name = wording.template or self.default
        template = self.template(name) if name else None
        if template is None:
            return language.code
        base = language.tag.partition("-")[0]
        for tag in (language.tag, base, FALLBACK):
            if tag in template.texts:
                return template.texts[tag]
        return next(iter(template.texts.values()))

    def _with_lines(self, body: str, code: str, app_hash: str | None) -> str:
        """Add the line browsers read (WICG) and the hash Android's SMS Retriever wants last."""
        if self.origin:
            body = f"{body}\n\n@{self.origin} #{code}"
        return f"<#> {body} {app_hash}" if app_hash else body


def _joined(body: str, language: Language) -> str:
    """Add the warning as a sentence of its own."""
    stop = "。" if language.tag in WITHOUT_SPACES else ". "
    if body.endswith((".", "。", "।", "۔", "።")):
        stop = stop[1:]
    return f"{body}{stop}{language.do_not_share}"


def _language(locale: str | None, country: str) -> Language:
    return (find_language(locale) if locale else None) or language_of_country(country)


def _values(occasion: Occasion, wording: Wording) -> dict[str, str]:
    return {
        "code": occasion.code,
        "friendly_name": wording.friendly_name or occasion.name,
        "ttl": str(occasion.ttl_minutes),
    }
