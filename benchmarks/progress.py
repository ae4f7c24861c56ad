"""Progress goes to standard error, so that standard output is the table alone."""

import sys
import time

BEGAN = time.monotonic()


def say(words: str) -> None:
    """Say what happens now, with the seconds since the start."""
    print(f"{time.monotonic() - BEGAN:7.1f} s  {words}", file=sys.stderr, flush=True)
