"""Templates: a text with variables in double braces, checked before anybody gets it."""

import hashlib
import itertools
import re
from collections.abc import Mapping
from functools import lru_cache

from watchword.record import Record

VARIABLE = re.compile(r"\{\{\s*([A-Za-z_]+)\s*\}\}")
KNOWN = ("code", "friendly_name", "ttl")
BRACES = re.compile(r"\{\{|\}\}")
LINK = re.compile(
    r"https?://|www\.|\b[a-z0-9-]+\.(?:com|net|org|io|ly|me|co)(?:/|\b)", re.IGNORECASE
)
LONGEST = 480  # characters; seven segments of UCS-2 is more than anybody wants to pay for


class Template(Record, frozen=True):
    """An operator's own text, by language tag."""

    name: str
    texts: Mapping[str, str]

    @property
    def sid(self) -> str:
        """Return the name the API knows it by (`HJ…`): the same on every machine."""
        return "HJ" + hashlib.sha256(self.name.encode()).hexdigest()[:32]


def fill(text: str, values: Mapping[str, str]) -> str:
    """Put values in place of the variables, all at once: a value is never read as a template."""
    return "".join([values[part] if is_name else part for part, is_name in _parts(text)])


@lru_cache(maxsize=1024)
def _parts(text: str) -> tuple[tuple[str, bool], ...]:
    """Cut a text at its variables; tell of each part whether it is the name of one."""
    return tuple(zip(VARIABLE.split(text), itertools.cycle((False, True)), strict=False))


def faults(text: str) -> list[str]:
    """Return what is wrong with a template's text, in words; nothing when it is right."""
    names = VARIABLE.findall(text)
    found = [
        f"there is no variable {{{{{name}}}}}; there are {', '.join(KNOWN)}"
        for name in dict.fromkeys(names)
        if name not in KNOWN
    ]
    if names.count("code") != 1:
        found.append("{{code}} has to be in it, once")
    if BRACES.search(VARIABLE.sub("", text)):
        found.append("a pair of braces is open or empty")
    if LINK.search(text):
        found.append("it holds a link; carriers block codes with links, and people should not tap")
    if any(ord(character) < 32 and character != "\n" for character in text):
        found.append("it holds a control character")
    if len(text) > LONGEST:
        found.append(f"it is longer than {LONGEST} characters")
    return found
