"""Live pages hold no server up: it ends at once, whatever streams are open."""

import time
from contextlib import ExitStack

import pytest
import requests

from tests.server import serving

PROMPT = 5.0  # seconds on a busy machine; a server that waited for its streams would never end


@pytest.mark.parametrize("workers", [1, 2])
def test_a_server_with_open_streams_stops_when_it_is_told(workers: int) -> None:
    with ExitStack() as streams:
        with serving(f"--workers={workers}") as server:
            for _ in range(4):
                answer = requests.get(f"{server.url}/inbox/events", stream=True, timeout=30)
                streams.enter_context(answer)
                assert next(answer.iter_lines()) == b"retry: 5000"
            told = time.monotonic()

        assert time.monotonic() - told < PROMPT
