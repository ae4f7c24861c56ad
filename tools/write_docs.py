"""Write the pages under docs/ that are made from code and figures; `make docs` runs it."""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))  # for benchmarks, which are no part of the package

from benchmarks.capacity import fill  # noqa: E402
from watchword.openapi.coverage import coverage_page  # noqa: E402
from watchword.openapi.reference import reference_page  # noqa: E402

DOCS = ROOT / "docs"
LATEST = ROOT / "benchmarks" / "latest.json"
PAGES = {"coverage.md": coverage_page, "reference/api.md": reference_page}


def main() -> None:
    """Write every page."""
    for name, page in PAGES.items():
        path = DOCS / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page())
    capacity = DOCS / "why" / "capacity.md"
    latest = json.loads(LATEST.read_text()) if LATEST.exists() else None
    capacity.write_text(fill(capacity.read_text(), latest))


if __name__ == "__main__":
    main()
