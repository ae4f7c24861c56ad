"""Charts drawn by the server as SVG, coloured by the style sheet: no script, and they print."""

from collections.abc import Callable, Sequence

from markupsafe import Markup

from watchword.rules.figures import Bar

WIDTH, HEIGHT, GAP = 720, 160, 4
LABELS = 6
TICKS = 4
FRAME = Markup('<svg class="chart" viewBox="-34 -8 {} {}" role="group" aria-label="{}">{}</svg>')
BLOCK = Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>')
SLICE = Markup('<a href="{}" tabindex="-1"><title>{}</title>{}</a>')
WHOLE = Markup('<rect class="whole" x="{:.1f}" y="-8" width="{:.1f}" height="{}"/>')
LABEL = Markup('<text x="{:.1f}" y="{}">{}</text>')
LINE = Markup(
    '<line x1="0" x2="{0}" y1="{1:.1f}" y2="{1:.1f}"/>'
    '<text class="tick" x="-6" y="{2:.1f}">{3}</text>'
)


def bars(slices: Sequence[Bar], moment: str, link: Callable[[Bar], str]) -> Markup:
    """Draw stacked bars over time: approved, sent and not approved, failed, blocked.

    `link` says where a click on a slice leads, or "" where there is nothing closer to see. The
    keyboard gets there by the table beside the chart.
    """
    top = max([_tall(slot) for slot in slices] + [1])
    top = -(-top // TICKS) * TICKS
    width = WIDTH / len(slices)
    drawn = [_line(tick * HEIGHT / TICKS, top - tick * top // TICKS) for tick in range(TICKS + 1)]
    for index, slot in enumerate(slices):
        at = index * width
        blocks = _blocks(slot, at + GAP / 2, width - GAP, top)
        blocks += WHOLE.format(at, width, HEIGHT + 8)
        told = f"{slot.start.strftime(moment)}: {_told(slot)}"
        target = link(slot)
        drawn.append(SLICE.format(target, told, blocks) if target else blocks)
        if index % max(len(slices) // LABELS, 1) == 0:
            drawn.append(LABEL.format(at + GAP / 2, HEIGHT + 18, slot.start.strftime(moment)))
    label = f"Messages over time, at most {top}; the table below has the numbers"
    return FRAME.format(WIDTH + 40, HEIGHT + 34, label, Markup("").join(drawn))


def _tall(slot: Bar) -> int:
    return max(slot.sends, slot.approved) + slot.blocked


def _blocks(slot: Bar, at: float, width: float, top: int) -> Markup:
    approved = min(slot.approved, slot.sends)
    rest = max(slot.sends - approved - slot.failed, 0)
    parts = (("yes", approved), ("open", rest), ("no", slot.failed), ("held", slot.blocked))
    drawn, base = Markup(""), float(HEIGHT)
    for name, number in parts:
        tall = number / top * HEIGHT
        base -= tall
        if number:
            drawn += BLOCK.format(name, at, base, width, tall)
    return drawn


def _told(slot: Bar) -> str:
    return (
        f"{slot.sends} sent, {slot.approved} approved, {slot.failed} not delivered, "
        f"{slot.blocked} blocked"
    )


def _line(height: float, value: int) -> Markup:
    return LINE.format(WIDTH, height, height + 4, value)
