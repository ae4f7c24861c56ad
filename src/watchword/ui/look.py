"""What every page shares: one template environment, the security headers, the same-origin check."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

HERE = Path(__file__).parent
HEADERS = {
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}
environment = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=select_autoescape(default=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def _more(origins: str) -> str:
    return f" {origins}" if origins else ""


def policy(*, frames: str = "'none'", images: str = "", targets: str = "") -> str:
    """Return a Content-Security-Policy: everything from here, nothing inline, framed by `frames`.

    `images` and `targets` add origins that pictures may come from and forms may lead to.
    """
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        f"img-src 'self' data:{_more(images)}; form-action 'self'{_more(targets)}; "
        f"frame-ancestors {frames}; base-uri 'none'"
    )


PAGE_HEADERS = HEADERS | {"Content-Security-Policy": policy(), "X-Frame-Options": "DENY"}


def render(name: str, status: int = 200, **values: Any) -> Response:
    """Answer with a page that nobody may frame."""
    html = environment.get_template(name).render(values)
    return HTMLResponse(html, status_code=status, headers=PAGE_HEADERS)


def show_trouble(request: Request, fault: Exception) -> Response:
    """Say that the store does not answer; what was asked for can be asked for again."""
    if request.method != "POST":
        again = request.url.path
    else:
        again = "/console" if request.url.path.startswith("/console") else "/"
    return render("trouble.html", 503, said=str(fault), again=again)


def show_missing(status: int) -> Response:
    """Say to a person that nothing is at this address, and where something is."""
    return render("missing.html", status)


def is_same_origin(request: Request) -> bool:
    """Tell whether a form came from one of our pages, by headers that no page can forge."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin is None or origin == f"{request.url.scheme}://{request.headers.get('host')}"


def static() -> Mount:
    """Serve the style sheets and scripts."""
    return Mount("/static", StaticFiles(directory=HERE / "static"))
