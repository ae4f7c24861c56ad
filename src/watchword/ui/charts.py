"""Charts drawn by the server as SVG, coloured by the style sheet: no script, and they print."""

from collections.abc import Sequence

from markupsafe import Markup

from watchword.rules.figures import Bar

WIDTH, HEIGHT, GAP = 720, 160, 4
LABELS = 6
TICKS = 4
FRAME = Markup('<svg class="chart" viewBox="-34 -8 {} {}" role="img" aria-label="{}">{}</svg>')
BLOCK = Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>')
LABEL = Markup('<text x="{:.1f}" y="{}">{}</text>')
LINE = Markup(
    '<line x1="0" x2="{0}" y1="{1:.1f}" y2="{1:.1f}"/>'
    '<text class="tick" x="-6" y="{2:.1f}">{3}</text>'
)


def bars(slices: Sequence[Bar], moment: str) -> Markup:
    """Draw stacked bars over time: approved, sent and not approved, failed."""
    top = max([slot.sends for slot in slices] + [slot.approved for slot in slices] + [1])
    top = -(-top // TICKS) * TICKS
    width = WIDTH / len(slices)
    drawn = [_line(tick * HEIGHT / TICKS, top - tick * top // TICKS) for tick in range(TICKS + 1)]
    for index, slot in enumerate(slices):
        at, base = index * width + GAP / 2, float(HEIGHT)
        approved = min(slot.approved, slot.sends)
        rest = max(slot.sends - approved - slot.failed, 0)
        for name, number in (("yes", approved), ("open", rest), ("no", slot.failed)):
            tall = number / top * HEIGHT
            base -= tall
            if number:
                drawn.append(BLOCK.format(name, at, base, width - GAP, tall))
        if index % max(len(slices) // LABELS, 1) == 0:
            drawn.append(LABEL.format(at, HEIGHT + 18, slot.start.strftime(moment)))
    label = f"Messages over time, at most {top}; the table below has the numbers"
    return FRAME.format(WIDTH + 40, HEIGHT + 34, label, Markup("").join(drawn))


def _line(height: float, value: int) -> Markup:
    return LINE.format(WIDTH, height, height + 4, value)
