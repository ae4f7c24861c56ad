"""T-19: many writers at once, on every database; none of them is told of a lock."""

import ast
from pathlib import Path

import watchword
from proofs.writers import writers
from tests.conftest import CREDENTIALS
from watchword.torture import Known

SECRET = b"a secret of the test of 32 bytes"


def test_32_writers_of_everything_at_once_see_no_error(database_url: str) -> None:
    errors, requests, *_ = writers(3, Known(database_url, SECRET, CREDENTIALS))

    assert errors.found == 0, errors.what
    assert requests.found >= 32


def test_no_decoder_is_made_where_two_threads_may_make_it_at_once() -> None:
    """Two threads in which msgspec first meets the same dataclass crash the interpreter."""
    shared = ("store", "commands", "rules", "development")
    folder = Path(watchword.__file__).parent
    found = [
        f"{path.name}:{call.lineno}"
        for part in shared
        for path in (folder / part).rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call)
        and ast.unparse(call.func) in ("msgspec.json.decode", "msgspec.convert")
    ]

    assert found == []
