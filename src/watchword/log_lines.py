"""How a server's log lines look: when, how bad, who says it, what; to standard error."""

import logging
import time
from typing import Any

LINE = "%(asctime)s %(levelname)s %(name)s: %(message)s"
MOMENT = "%Y-%m-%dT%H:%M:%SZ"


class Line(logging.Formatter):
    """Write one line with its time in UTC, whatever the machine's zone."""

    converter = staticmethod(time.gmtime)

    def __init__(self) -> None:
        super().__init__(LINE, MOMENT)


def logging_for(level: str) -> dict[str, Any] | None:
    """Return the set-up for each process of a server; None leaves one that is there as it is."""
    if logging.getLogger().handlers:
        return None
    heard = {"handlers": ["stderr"], "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": Line}},
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": "line",
                "stream": "ext://sys.stderr",
            }
        },
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {
            "watchword": heard | {"level": level.upper()},
            "uvicorn": heard | {"level": "WARNING"},
        },
    }
