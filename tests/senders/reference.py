"""Write docs/reference/senders.md from the senders: `python -m tests.senders.reference`."""

from pathlib import Path

from watchword.senders.base import WORDS
from watchword.senders.kinds import KINDS

PAGE = Path(__file__).parent.parent.parent / "docs" / "reference" / "senders.md"
TOP = """# The senders

Every type that a `[[senders]]` entry of `watchword.toml` may have, and its options. `name` is what
routes call it (the type, where there is none), `channels` narrows what it serves,
`timeout_seconds` (10) is how long an answer is waited for. An option marked *secret* is given as
`<option>_env`, the name of a variable, or `<option>_file`.

Each is tested against a server on loopback that speaks the format of the provider's public
documentation. None has been tried against a live account by us: `watchword send-test` does that
with yours.

[Send for real](../how-to/send-for-real.md) shows how they are used. The code makes this page.
"""


def page() -> str:
    """Return the page as it should be."""
    lines = [TOP]
    for name, kind in KINDS.items():
        cls = kind.load()
        lines += [
            f"## {name}",
            "",
            f"{kind.help}. Channels: {', '.join(sorted(cls.CHANNELS))}.",
            "",
        ]
        lines += ["| Option | Default | What it is |", "|---|---|---|"]
        for option in cls.OPTIONS:
            default = f"`{option.default}`" if option.default else ""
            needed = "**needed**" if option.default is None else default
            secret = " (*secret*)" if option.secret else ""
            lines.append(f"| `{option.name}`{secret} | {needed} | {option.help} |")
        lines.append("")
    lines += ["## What can be the matter", "", "| Trouble | What to do |", "|---|---|"]
    lines += [f"| {trouble.value} | {words} |" for trouble, words in WORDS.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
