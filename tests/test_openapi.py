"""Our OpenAPI document: it has every route and error, and every answer is as it says."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import openapi_spec_validator
import pytest
import requests
import schemathesis
import yaml

from tests.every_operation import FORMS, drive
from tests.server import Server, serving
from tools.write_docs import DOCS, PAGES
from watchword.config import load
from watchword.kit_server import KitServer
from watchword.openapi.coverage import coverage_page
from watchword.openapi.document import document
from watchword.wire import errors
from watchword.wire.routes import ROUTES
from watchword.wire.specification import OPERATIONS

ROOT = Path(__file__).parent.parent
SPECIFICATION = Path("shared", "verify_v2", "twilio_verify_v2.yaml")
CASES = os.environ.get("PROOF_CASES")  # for each operation, in a long run: `make proof` sets it
LONG_RUN = 3000  # cases in all
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_schema_conformance"
)


@cache
def twilio() -> dict[str, Any]:
    """Return Twilio's own specification where a copy of it lies beside the checkout."""
    found = next((p / SPECIFICATION for p in ROOT.parents if (p / SPECIFICATION).exists()), None)
    if found is None:
        pytest.skip(f"without ../{SPECIFICATION} answers are not held against Twilio's own words")
    loaded: dict[str, Any] = yaml.load(found.read_text(), Loader=yaml.CSafeLoader)
    return loaded


def ask_over_http(server: Server | KitServer, kept: list[requests.Response]) -> Any:
    def ask(method: str, path: str, form: Any) -> tuple[int, Any]:
        known = server.credentials
        given = {"data": form} if method == "POST" else {"params": form}
        answer = requests.request(
            method,
            server.url + path,
            auth=(known.account_sid, known.auth_token),
            timeout=30,
            **given,
        )
        kept.append(answer)
        return answer.status_code, answer.json() if answer.content else None

    return ask


def test_the_document_is_openapi() -> None:
    openapi_spec_validator.validate(document(development=True))
    openapi_spec_validator.validate(document(development=False))


def test_every_route_and_every_error_is_in_it() -> None:
    described = document(development=True)

    for route in ROUTES:
        assert described["paths"][route.path][route.method.lower()]["operationId"]
    codes = described["components"]["schemas"]["Error"]["properties"]["code"]["enum"]
    assert {code for _, code, _ in errors.TABLE.values()} <= set(codes)


def test_every_route_is_one_of_twilio_s_under_its_name() -> None:
    assert {(r.method, r.path, r.operation) for r in ROUTES} <= set(OPERATIONS)


def test_the_list_of_twilio_s_operations_is_twilio_s() -> None:
    theirs = {
        (method.upper(), path, operation["operationId"])
        for path, item in twilio()["paths"].items()
        for method, operation in item.items()
        if isinstance(operation, dict) and "operationId" in operation
    }

    assert set(OPERATIONS) == theirs
    assert len(OPERATIONS) == 57


def test_every_answer_is_as_our_document_says(watchword_server: KitServer) -> None:
    schema = schemathesis.openapi.from_dict(document(development=True))
    kept: list[requests.Response] = []

    for answer in drive(ask_over_http(watchword_server, kept)):
        operation = schema[answer.route.path][answer.route.method]
        assert answer.status == answer.route.status, (answer.route.operation, answer.body)
        operation.validate_response(kept[-1])

    assert len(kept) == len(ROUTES), {r.operation for r in ROUTES} - FORMS.keys()


def test_every_answer_is_as_twilio_s_specification_says(watchword_server: KitServer) -> None:
    schema = schemathesis.openapi.from_dict(twilio())
    kept: list[requests.Response] = []

    for answer in drive(ask_over_http(watchword_server, kept)):
        operation = schema[answer.route.path][answer.route.method]
        operation.validate_response(kept[-1])
        _every_key_is_there(operation.definition.raw, answer.status, answer.body)


def test_the_hosted_page_s_answers_are_as_our_document_says(watchword_server: KitServer) -> None:
    schema = schemathesis.openapi.from_dict(document(development=True))
    known, url = watchword_server.credentials, watchword_server.url
    auth = (known.account_sid, known.auth_token)
    form = {"UserId": "u", "ReturnUrl": "http://127.0.0.1:9/back"}
    opened = requests.post(f"{url}/pages", form, auth=auth, timeout=5)
    page = f"/pages/{opened.json()['sid']}"
    used = requests.post(f"{url}/pages/results", {"Result": "x"}, auth=auth, timeout=5)
    answers = {
        ("/pages", "POST"): opened,
        ("/pages/{Sid}", "GET"): requests.get(url + page, auth=auth, timeout=5),
        ("/pages/results", "POST"): used,
        ("/.well-known/jwks.json", "GET"): requests.get(f"{url}/.well-known/jwks.json", timeout=5),
    }

    assert [answer.status_code for answer in answers.values()] == [201, 200, 404, 200]
    for (path, method), answer in answers.items():
        schema[path][method].validate_response(answer)


def test_the_answers_to_refusals_are_as_our_document_says(watchword_server: KitServer) -> None:
    schema = schemathesis.openapi.from_dict(document(development=True))
    known = watchword_server.credentials
    url = f"{watchword_server.url}/v2/Services/{known.service_sid}/Verifications"
    operation = schema["/v2/Services/{ServiceSid}/Verifications"]["POST"]

    for auth, form, status in (
        (("AC" + "9" * 32, "wrong"), {}, 401),
        ((known.account_sid, known.auth_token), {"To": "+1"}, 400),
        ((known.account_sid, known.auth_token), {"To": "x" * 20000}, 413),
    ):
        answer = requests.post(url, form, auth=auth, timeout=5)
        assert answer.status_code == status
        operation.validate_response(answer)


def test_the_document_is_served_and_printed(watchword_server: KitServer) -> None:
    served = requests.get(watchword_server.url + "/openapi.json", timeout=5).json()
    printed = subprocess.run(
        [sys.executable, "-m", "watchword", "openapi"], capture_output=True, check=True
    )

    assert (
        served == json.loads(printed.stdout) == json.loads(json.dumps(document(development=True)))
    )


def test_in_production_the_document_has_nothing_of_development() -> None:
    described = document(development=False)

    assert not [path for path in described["paths"] if path.startswith("/dev")]
    assert not {"Message", "Clock", "Faults"} & described["components"]["schemas"].keys()


def test_the_page_shows_every_operation_and_error(watchword_server: KitServer) -> None:
    page = requests.get(watchword_server.url + "/docs", timeout=5)

    assert page.status_code == 200
    for route in ROUTES:
        assert route.operation in page.text
    assert "60202" in page.text


@pytest.mark.parametrize("name", sorted(PAGES))
def test_the_written_pages_are_up_to_date(name: str) -> None:
    assert (DOCS / name).read_text() == PAGES[name](), "run: make docs"


def test_the_coverage_page_has_all_57_operations() -> None:
    page = coverage_page()

    assert sum(line.endswith(("answers |", "not yet |")) for line in page.splitlines()) == 57


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as started:
        yield started


def fuzz(server: Server, location: str, *more: str) -> None:
    """Let schemathesis look for requests whose answer is a 5xx or not as described."""
    known = server.credentials
    short = ["--phases=fuzzing", "--max-examples=5", "--no-shrink"]
    ended = subprocess.run(
        [
            str(Path(sys.executable).with_name("schemathesis")),
            *("run", location, f"--url={server.url}", f"--checks={CHECKS}", "--seed=1"),
            *("--warnings=off", "--exclude-path-regex=^/dev", "--suppress-health-check=all"),
            *("--header", "Accept: application/json"),
            f"--auth={known.account_sid}:{known.auth_token}",
            *([f"--max-examples={CASES}"] if CASES else short),
            *more,
        ],
        cwd=load().home,  # it keeps a folder of its own
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout[-8000:] + ended.stderr[-2000:]
    generated = int(re.findall(r"(\d+) generated", ended.stdout)[-1])
    assert generated >= (LONG_RUN if CASES else 4 * len(ROUTES)), ended.stdout


def test_no_request_after_our_document_is_answered_otherwise(server: Server) -> None:
    fuzz(server, f"{server.url}/openapi.json")


def test_no_request_after_twilio_s_specification_is_answered_otherwise(
    server: Server, tmp_path: Path
) -> None:
    """Errors are told apart by our own document: Twilio's has none but one 429."""
    served = {(route.path, route.method.lower()) for route in ROUTES}
    theirs = twilio()
    paths = {
        path: {
            key: _with_errors(value) if (path, key) in served else value
            for key, value in item.items()
            if (path, key) in served or key not in ("get", "post", "delete")
        }
        for path, item in theirs["paths"].items()
    }
    location = tmp_path / "twilio.json"
    location.write_text(json.dumps(theirs | {"paths": paths}))

    fuzz(server, str(location))


def _with_errors(operation: dict[str, Any]) -> dict[str, Any]:
    responses = {"default": {"description": "an error"}} | operation["responses"]
    return operation | {"responses": responses}


def _every_key_is_there(operation: dict[str, Any], status: int, body: Any) -> None:
    """Hold an answer's keys against the ones the specification names; null is a key too."""
    content = operation["responses"][str(status)].get("content", {})
    schema = _resolved(content.get("application/json", {}).get("schema", {}))
    missing = schema.get("properties", {}).keys() - (body or {}).keys()
    assert not missing, (operation["operationId"], missing)
    for name, property_ in schema.get("properties", {}).items():
        named = _resolved(property_.get("items", {})).get("properties", {}).keys()
        for item in body[name] if named and property_.get("type") == "array" else []:
            absent = named - item.keys()
            assert not absent, (operation["operationId"], name, absent)


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    found: Any = twilio()
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found  # type: ignore[no-any-return]
