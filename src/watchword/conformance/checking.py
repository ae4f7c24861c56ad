"""Cases of checking a code, looking at a verification, and of the time that passes."""

from watchword.conformance.sources import CHECKS, LIMITS, OBSERVED, SPEC, error
from watchword.conformance.steps import SERVICE, Case, check, fetch, other_than, post, start, update

TTL = 600  # seconds; a verification lives ten minutes
CHECKING = (
    Case(
        "the right code approves",
        SPEC,
        (start(), check("{code}").answers(200, 201, status="approved", valid=True)),
    ),
    Case(
        "a wrong code is an answer, not an error",
        CHECKS,
        (start(), check("{wrong}").answers(200, 201, status="pending", valid=False)),
    ),
    Case(
        "a code is good once",
        CHECKS,
        (start(), check("{code}"), check("{code}").answers(404, code=20404)),
    ),
    Case(
        "five wrong codes are answered, then even the right one is refused",
        error(60202),
        (
            start(),
            *[check("{wrong}").answers(200, 201, status="pending")] * 5,
            check("{code}").answers(429, code=60202),
        ),
    ),
    Case(
        "after five wrong codes no new one is sent",
        error(60202),
        (start(), *[check("{wrong}")] * 5, start().answers(429, code=60202)),
    ),
    Case(
        "five wrong codes close the verification for who looks at it",
        error(60202),
        (
            start().keeping(first="sid"),
            *[check("{wrong}")] * 5,
            fetch("{first}").answers(200, status="max_attempts_reached"),
        ),
    ),
    Case(
        "a check may name the verification instead of the number",
        SPEC,
        (
            start().keeping(first="sid"),
            check("{code}", VerificationSid="{first}").answers(200, 201, status="approved"),
        ),
    ),
    Case(
        "a check has to name one of them",
        error(60221),
        (post(f"{SERVICE}/VerificationCheck", Code="123456").answers(400, code=60221),),
    ),
    Case(
        "a code has 4 to 10 characters",
        error(60200),
        (
            start(),
            check("123").answers(400, code=60200),
            check("12345678901").answers(400, code=60200),
        ),
    ),
    Case(
        "a number that was never sent a code has none",
        CHECKS,
        (check("123456").answers(404, code=20404),),
    ),
)
LOOKING = (
    Case(
        "a verification is shown by its sid",
        SPEC,
        (
            start().keeping(first="sid"),
            fetch("{first}").answers(200, sid="{first}", status="pending", to="{to}"),
        ),
    ),
    Case(
        "a verification is shown by its number",
        "Twilio's sample functions",
        (start().keeping(first="sid"), fetch("{to}").answers(200, sid="{first}")),
    ),
    Case(
        "an approved verification is shown no more",
        OBSERVED,
        (
            start().keeping(first="sid"),
            check("{code}"),
            fetch("{first}").answers(404, code=20404),
        ),
    ),
    Case(
        "a canceled verification is still shown",
        OBSERVED,
        (
            start().keeping(first="sid"),
            update("{first}", "canceled"),
            fetch("{first}").answers(200, status="canceled"),
        ),
    ),
    Case(
        "an owner may approve a verification",
        SPEC,
        (
            start().keeping(first="sid"),
            update("{first}", "approved").answers(200, status="approved", valid=True),
        ),
    ),
    Case(
        "an owner may make nothing else of it",
        error(60200),
        (
            start().keeping(first="sid"),
            update("{first}", "pending").answers(400, code=60200),
            fetch("{first}").answers(200, status="pending"),
        ),
    ),
    Case(
        "a verification that is not there cannot be shown or changed",
        error(20404),
        (
            fetch("VE" + "0" * 32).answers(404, code=20404),
            update("VE" + "0" * 32, "canceled").answers(404, code=20404),
        ),
    ),
)
TIME = (
    Case(
        "a code lives ten minutes",
        LIMITS,
        (start(), check("{code}").after(seconds=TTL - 1).answers(200, 201, status="approved")),
    ),
    Case(
        "a code dies after ten minutes",
        LIMITS,
        (start(), check("{code}").after(seconds=TTL).answers(404, code=20404)),
    ),
    Case(
        "a second send does not make it live longer",
        LIMITS,
        (
            start().keeping(first="sid"),
            start().after(seconds=TTL - 60).answers(201, sid="{first}"),
            check("{code}").after(seconds=60).answers(404, code=20404),
        ),
    ),
    Case(
        "an expired verification is followed by a new one",
        LIMITS,
        (
            start().keeping(first="sid"),
            start().after(seconds=TTL).answers(201, sid=other_than("first")),
        ),
    ),
    Case(
        "after its ten minutes a closed verification is gone",
        CHECKS,
        (
            start(),
            *[check("{wrong}")] * 5,
            check("{wrong}").answers(429, code=60202),
            check("{wrong}").after(seconds=TTL).answers(404, code=20404),
            start().answers(201, status="pending"),
        ),
    ),
)
