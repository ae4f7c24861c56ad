"""Write the pages under docs/ that are made from the code; `make docs` runs it."""

from pathlib import Path

from watchword.openapi.coverage import coverage_page
from watchword.openapi.reference import reference_page

DOCS = Path(__file__).parent.parent / "docs"
PAGES = {"coverage.md": coverage_page, "reference/api.md": reference_page}


def main() -> None:
    """Write every page."""
    for name, page in PAGES.items():
        path = DOCS / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page())


if __name__ == "__main__":
    main()
