"""How a text travels as SMS: in which alphabet, and in how many segments (3GPP TS 23.038)."""

from dataclasses import dataclass
from enum import StrEnum

GSM_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_EXTENDED = frozenset("\f^{}\\[~]|€")  # an escape before each: two places
ONE, EACH = 160, 153  # septets in a lone segment, and in each of several
ONE_UCS2, EACH_UCS2 = 70, 67  # 16-bit units, likewise


class Encoding(StrEnum):
    """The two alphabets of SMS."""

    GSM7 = "GSM-7"
    UCS2 = "UCS-2"


@dataclass(frozen=True, slots=True)
class Size:
    """What a text costs: `units` are septets or 16-bit units; `foreign` forced UCS-2."""

    encoding: Encoding
    units: int
    segments: int
    foreign: str = ""


def measure(text: str) -> Size:
    """Return a text's alphabet, length and number of segments."""
    foreign = "".join(sorted({c for c in text if c not in GSM_BASIC and c not in GSM_EXTENDED}))
    if foreign:
        widths = [2 if ord(character) > 0xFFFF else 1 for character in text]
        return Size(Encoding.UCS2, sum(widths), _split(widths, ONE_UCS2, EACH_UCS2), foreign)
    widths = [2 if character in GSM_EXTENDED else 1 for character in text]
    return Size(Encoding.GSM7, sum(widths), _split(widths, ONE, EACH))


def _split(widths: list[int], one: int, each: int) -> int:
    """Count segments; a character of two places is never cut in two."""
    if sum(widths) <= one:
        return 1
    segments, room = 1, each
    for width in widths:
        if width > room:
            segments, room = segments + 1, each
        room -= width
    return segments
