"""How a text travels as SMS: in which alphabet, and in how many segments (3GPP TS 23.038)."""

from enum import StrEnum

from watchword.record import Record

ESCAPE = "\x1b"
GSM_TABLE = (  # each character at the place that is its code
    f"@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ{ESCAPE}ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_ESCAPED = {  # an escape before each: two places
    "\f": 0x0A,
    "^": 0x14,
    "{": 0x28,
    "}": 0x29,
    "\\": 0x2F,
    "[": 0x3C,
    "~": 0x3D,
    "]": 0x3E,
    "|": 0x40,
    "€": 0x65,
}
GSM_BASIC = frozenset(GSM_TABLE) - {ESCAPE}
GSM_EXTENDED = frozenset(GSM_ESCAPED)
ONE, EACH = 160, 153  # septets in a lone segment, and in each of several
ONE_UCS2, EACH_UCS2 = 70, 67  # 16-bit units, likewise


class Encoding(StrEnum):
    """The two alphabets of SMS."""

    GSM7 = "GSM-7"
    UCS2 = "UCS-2"


class Size(Record, frozen=True):
    """What a text costs: `units` are septets or 16-bit units; `foreign` forced UCS-2."""

    encoding: Encoding
    units: int
    segments: int
    foreign: str = ""


def measure(text: str) -> Size:
    """Return a text's alphabet, length and number of segments."""
    foreign = "".join(sorted({c for c in text if c not in GSM_BASIC and c not in GSM_EXTENDED}))
    encoding = Encoding.UCS2 if foreign else Encoding.GSM7
    return Size(encoding, sum(_widths(text, encoding)), len(split(text, encoding)), foreign)


def split(text: str, encoding: Encoding) -> list[str]:
    """Return a text's segments; a character of two places is never cut in two."""
    one, each = (ONE_UCS2, EACH_UCS2) if encoding is Encoding.UCS2 else (ONE, EACH)
    widths = _widths(text, encoding)
    if sum(widths) <= one:
        return [text]
    cuts, room = [0], each
    for place, width in enumerate(widths):
        if width > room:
            cuts.append(place)
            room = each
        room -= width
    return [text[begin:end] for begin, end in zip(cuts, [*cuts[1:], None], strict=True)]


def encode_gsm(text: str) -> bytes:
    """Return a text of the GSM alphabet, one septet in each byte; other characters raise."""
    found = bytearray()
    for character in text:
        if character in GSM_ESCAPED:
            found += bytes((GSM_TABLE.index(ESCAPE), GSM_ESCAPED[character]))
        else:
            found.append(GSM_TABLE.index(character))
    return bytes(found)


def _widths(text: str, encoding: Encoding) -> list[int]:
    if encoding is Encoding.UCS2:
        return [2 if ord(character) > 0xFFFF else 1 for character in text]
    return [2 if character in GSM_EXTENDED else 1 for character in text]
