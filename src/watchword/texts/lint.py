"""Look every text over as it will be sent: with a ten-digit code, in each of its forms."""

from collections.abc import Iterator

from watchword.model import Wording
from watchword.record import Record
from watchword.texts.languages import Language, languages
from watchword.texts.segments import Encoding, Size, measure
from watchword.texts.template import Template, faults
from watchword.texts.write import Occasion, Texts

LONGEST_CODE = "8888888888"
HASH = "He42w354ol9"  # eleven characters, as Android makes them
LONGEST_RETRIEVED = 140  # bytes; what Android's SMS Retriever reads


class Line(Record, frozen=True):
    """One text in one form: how it travels, and what is wrong with it."""

    template: str
    language: str
    form: str
    encoding: Encoding
    units: int
    segments: int
    faults: tuple[str, ...] = ()


def lint(texts: Texts, name: str) -> list[Line]:
    """Return a line for every text and form, with `name` as the sender's name."""
    return [
        line
        for template, language in _all(texts)
        for line in _forms(texts, template, language, name)
    ]


def _all(texts: Texts) -> Iterator[tuple[Template | None, Language]]:
    for language in languages().values():
        yield None, language
    for template in texts.templates.values():
        for tag in template.texts:
            yield template, languages()[tag]


def _forms(texts: Texts, template: Template | None, language: Language, name: str) -> list[Line]:
    occasion = Occasion(name, LONGEST_CODE, "", ttl_minutes=10)
    chosen = template.name if template else None
    plain = Texts(texts.templates)
    wording = Wording(locale=language.tag, template=chosen)
    careful = Wording(locale=language.tag, template=chosen, do_not_share=True)
    hashed = Wording(locale=language.tag, template=chosen, app_hash=HASH)
    forms = [
        ("plain", plain, wording),
        ("do not share", plain, careful),
        ("app hash", plain, hashed),
    ]
    if texts.origin:
        forms.append(("origin", Texts(texts.templates, texts.origin), wording))
    source = template.texts[language.tag] if template else language.code
    lines = []
    for form, how, wanted in forms:
        body = how.write(occasion, wanted).body
        size = measure(body)
        wrong = [*faults(source), *_too_long(form, size)]
        lines.append(
            Line(
                template=chosen or "default",
                language=language.tag,
                form=form,
                encoding=size.encoding,
                units=size.units,
                segments=size.segments,
                faults=tuple(wrong),
            )
        )
    return lines


def _too_long(form: str, size: Size) -> list[str]:
    if form == "plain" and size.segments > 1:
        return [f"{size.segments} segments are paid for; one is enough for a code"]
    bytes_sent = size.units * 2 if size.encoding is Encoding.UCS2 else size.units
    if form == "app hash" and bytes_sent > LONGEST_RETRIEVED:
        return [f"Android reads {LONGEST_RETRIEVED} bytes, this has {bytes_sent}"]
    return []
