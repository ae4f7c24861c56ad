"""An app's accent colour made safe to read on: shades that pass WCAG AA in light and in dark."""

import re

HEX = re.compile(r"#[0-9a-fA-F]{6}")
RADIUS = re.compile(r"(?:[0-9]|[12][0-9])px|0")
ENOUGH = 4.5  # WCAG 2.2 §1.4.3
CARD, DARK_CARD = "#ffffff", "#171f27"
INK, WHITE = "#0a1526", "#ffffff"


def look_sheet(accent: str, radius: str) -> str:
    """Return the style sheet of one look; values that are not a colour or a radius are left out."""
    rules = []
    if HEX.fullmatch(accent):
        light, dark = _towards(accent, CARD, "#000000"), _towards(accent, DARK_CARD, "#ffffff")
        rules.append(f":root{{{_names(light)}}}")
        rules.append(f"@media(prefers-color-scheme:dark){{:root{{{_names(dark)}}}}}")
    if RADIUS.fullmatch(radius):
        rules.append(
            f":root{{--radius:{radius}}}button,input,select{{border-radius:{radius}!important}}"
        )
    return "".join(rules)


def contrast(one: str, other: str) -> float:
    """Return WCAG's contrast ratio of two colours."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _names(accent: str) -> str:
    on = WHITE if contrast(accent, WHITE) >= contrast(accent, INK) else INK
    return f"--accent:{accent};--on-accent:{on}"


def _towards(colour: str, ground: str, end: str) -> str:
    """Mix a colour with black or white until it can be read on its ground."""
    for step in range(21):
        mixed = _mix(colour, end, step / 20)
        if contrast(mixed, ground) >= ENOUGH:
            return mixed
    return end


def _mix(one: str, other: str, share: float) -> str:
    pairs = zip(_channels(one), _channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def _channels(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[start : start + 2], 16) for start in (1, 3, 5))


def _luminance(colour: str) -> float:
    parts = [channel / 255 for channel in _channels(colour)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
