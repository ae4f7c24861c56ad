"""How a text travels as SMS: its encoding, and how many segments it is billed as."""

from dataclasses import dataclass

# 3GPP TS 23.038 §6.2.1: the default alphabet, and the characters that take an escape before them.
GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
ESCAPED = frozenset("\f^{}\\[~]|€")
GSM_ALONE, GSM_JOINED = 160, 153  # 3GPP TS 23.040: a joined segment spends 7 septets on its header
UCS2_ALONE, UCS2_JOINED = 70, 67


@dataclass(frozen=True, slots=True)
class Segments:
    """A text's encoding, its length in units of that encoding, and its segments."""

    encoding: str
    units: int
    count: int


def segments(text: str) -> Segments:
    """Count what one text is sent and billed as."""
    if all(character in GSM or character in ESCAPED for character in text):
        units = len(text) + sum(character in ESCAPED for character in text)
        return Segments("GSM-7", units, _parts(units, GSM_ALONE, GSM_JOINED))
    units = len(text.encode("utf-16-le")) // 2
    return Segments("UCS-2", units, _parts(units, UCS2_ALONE, UCS2_JOINED))


def _parts(units: int, alone: int, joined: int) -> int:
    return 1 if units <= alone else -(-units // joined)
