"""The `[texts]` of `watchword.toml`: the operator's own templates and the origin for autofill."""

import re
from collections.abc import Mapping
from typing import Any

from watchword.errors import ConfigurationError
from watchword.texts.languages import find_language, languages
from watchword.texts.template import Template, faults
from watchword.texts.write import Texts

KEYS = ("origin", "template", "templates")
HOST = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9-]+)+")


def texts_from(table: Mapping[str, Any]) -> Texts:
    """Return the texts of a `[texts]` table; refuse with ConfigurationError what cannot be sent."""
    for key in table:
        if key not in KEYS:
            raise _wrong(key, f"there is no such key; there are {', '.join(KEYS)}")
    templates = {
        name: _template(name, texts) for name, texts in dict(table.get("templates", {})).items()
    }
    origin = str(table.get("origin", "")).removeprefix("https://").rstrip("/")
    if origin and not HOST.fullmatch(origin):
        raise _wrong("origin", "a host name such as login.example.com is expected")
    default = table.get("template")
    if default is not None and default not in templates:
        raise _wrong("template", f"there is no [texts.templates.{default}]")
    return Texts(templates, origin or None, default)


def _template(name: str, texts: Any) -> Template:
    if not isinstance(texts, Mapping) or not texts:
        raise _wrong(f"templates.{name}", "write one text a language: en = “…”")
    found = {}
    for tag, text in texts.items():
        language = find_language(tag)
        if language is None:
            known = ", ".join(languages())
            raise _wrong(f"templates.{name}.{tag}", f"there is no such language; there are {known}")
        wrong = faults(str(text))
        if wrong:
            raise _wrong(f"templates.{name}.{tag}", wrong[0])
        found[language.tag] = str(text)
    return Template(name, found)


def _wrong(key: str, words: str) -> ConfigurationError:
    return ConfigurationError(f"texts.{key}: {words}", name=f"texts.{key}")
