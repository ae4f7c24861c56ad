"""The behaviour of Verify as a table of cases: each has a name, a source, and what must happen."""

from watchword.conformance.steps import (
    SERVICE,
    Case,
    Holds,
    check,
    count,
    delete,
    fetch,
    get,
    other_than,
    post,
    sid,
    start,
    update,
)

LIMITS = "Verify docs: rate limits and timeouts"
CHECKS = "Verify docs: verification check"
VERIFICATIONS = "Verify docs: verification"
SPEC = "Twilio's OpenAPI specification of Verify v2"
SERVICES = f"{SPEC}: Service"
TTL = 600  # seconds


ENVELOPE = Holds(
    "Twilio's paging envelope",
    lambda meta, _: {"key", "page", "page_size", "url", "next_page_url"} <= meta.keys(),
)


def error(code: int) -> str:
    """Name an entry of Twilio's error dictionary as a source."""
    return f"Twilio error {code}"


STARTING = (
    Case(
        "a start is answered with a pending verification",
        SPEC,
        (
            start().answers(
                201, sid=sid("VE"), status="pending", valid=False, to="{to}", channel="sms"
            ),
        ),
    ),
    Case(
        "a second start sends the same verification again",
        LIMITS,
        (
            start().keeping(first="sid"),
            start().answers(201, sid="{first}", send_code_attempts=count(2)),
        ),
    ),
    Case(
        "a second start sends the same code again",
        LIMITS,
        (
            start().keeping(first="sid"),
            check("{wrong}").answers(200, 201, status="pending"),
            start().answers(201, sid="{first}"),
            check("{code}").answers(200, 201, status="approved", sid="{first}"),
        ),
    ),
    Case(
        "five sends are all, the sixth is refused",
        error(60203),
        (*[start()] * 5, start().answers(429, code=60203)),
    ),
    Case(
        "a refused send changes nothing",
        "SDKs retry a 429",
        (
            start().keeping(first="sid"),
            *[start()] * 4,
            start().answers(429, code=60203),
            start().answers(429, code=60203),
            fetch("{first}").answers(200, status="pending", send_code_attempts=count(5)),
        ),
    ),
    Case(
        "a number is needed",
        error(60200),
        (start(To="").answers(400, code=60200),),
    ),
    Case(
        "a number must be one",
        error(60200),
        (start(To="+1").answers(400, code=60200), start(To="nobody").answers(400, code=60200)),
    ),
    Case(
        "a channel is needed and must be one",
        error(60200),
        (
            start(Channel="").answers(400, code=60200),
            start(Channel="pigeon").answers(400, code=60200),
        ),
    ),
    Case(
        "a canceled verification is followed by a new one",
        VERIFICATIONS,
        (
            start().keeping(first="sid"),
            update("{first}", "canceled").answers(200, status="canceled", valid=False),
            start().answers(201, sid=other_than("first"), send_code_attempts=count(1)),
        ),
    ),
    Case(
        "an approved verification is followed by a new one",
        VERIFICATIONS,
        (
            start().keeping(first="sid"),
            check("{code}").answers(200, 201, status="approved"),
            start().answers(201, sid=other_than("first")),
        ),
    ),
    Case(
        "a custom code is used where the service allows it",
        "Verify docs: customization options",
        (start(CustomCode="473829"), check("473829").answers(200, 201, status="approved")),
        service={"CustomCodeEnabled": "true"},
    ),
    Case(
        "a custom code is passed over where the service does not allow it",
        "observed against Twilio",
        (
            start(CustomCode="47382910").answers(201, status="pending"),
            check("47382910").answers(200, 201, status="pending"),
        ),
        needs_inbox=True,
    ),
)
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
        "observed against Twilio",
        (
            start().keeping(first="sid"),
            check("{code}"),
            fetch("{first}").answers(404, code=20404),
        ),
    ),
    Case(
        "a canceled verification is still shown",
        "observed against Twilio",
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
AROUND = (
    Case(
        "credentials are needed",
        error(20003),
        (get("/v2/Services").without_credentials().answers(401, code=20003),),
    ),
    Case(
        "a service that is not there has nothing",
        error(20404),
        (
            get("/v2/Services/VA" + "0" * 32).answers(404, code=20404),
            post("/v2/Services/VA" + "0" * 32 + "/Verifications", To="{to}", Channel="sms").answers(
                404, code=20404
            ),
        ),
    ),
    Case(
        "a service has its documented form",
        SERVICES,
        (get(SERVICE).answers(200, sid="{service}", code_length=6, lookup_enabled=False),),
    ),
    Case(
        "a code has 4 to 10 digits",
        SERVICES,
        (
            post(SERVICE, CodeLength="4").answers(200, code_length=4),
            post(SERVICE, CodeLength="3").answers(400, code=60200),
            post(SERVICE, CodeLength="11").answers(400, code=60200),
            get(SERVICE).answers(200, code_length=4),
        ),
    ),
    Case(
        "a service's name holds no number that could be called",
        SERVICES,
        (post("/v2/Services", FriendlyName="Acme 12345").answers(400, code=60200),),
    ),
    Case(
        "a list has its envelope",
        SPEC,
        (get("/v2/Services", PageSize="1").answers(200, services=count(1), meta=ENVELOPE),),
    ),
    Case(
        "a rate limit's name is taken once",
        error(60208),
        (
            post(f"{SERVICE}/RateLimits", UniqueName="ip").answers(201, unique_name="ip"),
            post(f"{SERVICE}/RateLimits", UniqueName="ip").answers(400, code=60208),
            post(f"{SERVICE}/RateLimits", UniqueName="not this").answers(400, code=60209),
        ),
    ),
    Case(
        "a rate limit has one bucket of an interval",
        error(60211),
        (
            post(f"{SERVICE}/RateLimits", UniqueName="ip").keeping(limit="sid"),
            post(f"{SERVICE}/RateLimits/{{limit}}/Buckets", Max="1", Interval="60"),
            post(f"{SERVICE}/RateLimits/{{limit}}/Buckets", Max="9", Interval="60").answers(
                400, code=60211
            ),
        ),
    ),
    Case(
        "a country has one messaging configuration",
        error(60213),
        (
            post(
                f"{SERVICE}/MessagingConfigurations",
                Country="CM",
                MessagingServiceSid="MG" + "0" * 32,
            ).answers(201, country="CM"),
            post(
                f"{SERVICE}/MessagingConfigurations",
                Country="CM",
                MessagingServiceSid="MG" + "1" * 32,
            ).answers(400, code=60213),
        ),
    ),
    Case(
        "what was deleted is gone",
        SPEC,
        (
            post(f"{SERVICE}/RateLimits", UniqueName="ip").keeping(limit="sid"),
            delete(f"{SERVICE}/RateLimits/{{limit}}"),
            get(f"{SERVICE}/RateLimits/{{limit}}").answers(404, code=20404),
        ),
    ),
)
CASES: tuple[Case, ...] = (*STARTING, *CHECKING, *LOOKING, *TIME, *AROUND)
