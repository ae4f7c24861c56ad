"""Cases of what lies around a verification: services, rate limits, attempts, lists."""

from watchword.conformance.sources import RETRIES, SPEC, error
from watchword.conformance.steps import SERVICE, Case, Holds, check, count, delete, get, post, start

ENVELOPE = Holds(
    "Twilio's paging envelope",
    lambda meta, _: {"key", "page", "page_size", "url", "next_page_url"} <= meta.keys(),
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
        f"{SPEC}: Service",
        (get(SERVICE).answers(200, sid="{service}", code_length=6, lookup_enabled=False),),
    ),
    Case(
        "a code has 4 to 10 digits",
        f"{SPEC}: Service",
        (
            post(SERVICE, CodeLength="4").answers(200, code_length=4),
            post(SERVICE, CodeLength="3").answers(400, code=60200),
            post(SERVICE, CodeLength="11").answers(400, code=60200),
            get(SERVICE).answers(200, code_length=4),
        ),
    ),
    Case(
        "a service's name holds no number that could be called",
        f"{SPEC}: Service",
        (post("/v2/Services", FriendlyName="Acme 12345").answers(400, code=60200),),
    ),
    Case(
        "a list has its envelope",
        SPEC,
        (get("/v2/Services", PageSize="1").answers(200, services=count(1), meta=ENVELOPE),),
    ),
    Case(
        "a rate limit counts the starts of one key",
        "Verify docs: programmable rate limits",
        (
            post(f"{SERVICE}/RateLimits", UniqueName="ip").keeping(limit="sid"),
            post(f"{SERVICE}/RateLimits/{{limit}}/Buckets", Max="1", Interval="60"),
            start(RateLimits='{{"ip": "192.0.2.1"}}'),
            start(RateLimits='{{"ip": "192.0.2.1"}}').answers(429, code=20429),
            start(RateLimits='{{"ip": "192.0.2.2"}}').answers(201),
        ),
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
        "a name of a rate limit that there is not is passed over",
        "a choice: not published",
        (start(RateLimits='{{"nobody": "192.0.2.1"}}').answers(201, status="pending"),),
    ),
    Case(
        "rate limits are a map",
        error(60200),
        (start(RateLimits="ip").answers(400, code=60200),),
    ),
    Case(
        "a refused start counts for no rate limit",
        RETRIES,
        (
            post(f"{SERVICE}/RateLimits", UniqueName="ip").keeping(limit="sid"),
            post(f"{SERVICE}/RateLimits/{{limit}}/Buckets", Max="2", Interval="60"),
            start(To="nobody", RateLimits='{{"ip": "192.0.2.1"}}').answers(400, code=60200),
            start(RateLimits='{{"ip": "192.0.2.1"}}').answers(201),
            start(RateLimits='{{"ip": "192.0.2.1"}}').answers(201),
            start(RateLimits='{{"ip": "192.0.2.1"}}').answers(429, code=20429),
        ),
    ),
    Case(
        "a rate limit's window ends",
        "Verify docs: service rate limit buckets",
        (
            post(f"{SERVICE}/RateLimits", UniqueName="ip").keeping(limit="sid"),
            post(f"{SERVICE}/RateLimits/{{limit}}/Buckets", Max="1", Interval="60"),
            start(RateLimits='{{"ip": "192.0.2.1"}}').answers(201),
            start(RateLimits='{{"ip": "192.0.2.1"}}').answers(429, code=20429),
            start(RateLimits='{{"ip": "192.0.2.1"}}').after(seconds=120).answers(201),
        ),
    ),
    Case(
        "an attempt is converted when its verification is approved",
        f"{SPEC}: VerificationAttempt",
        (
            start().keeping(first="sid"),
            get("/v2/Attempts", VerificationSid="{first}", Status="unconverted").answers(
                200, attempts=count(1)
            ),
            check("{code}").answers(200, 201, status="approved"),
            get("/v2/Attempts", VerificationSid="{first}", Status="unconverted").answers(
                200, attempts=count(0)
            ),
            get("/v2/Attempts", VerificationSid="{first}", Status="converted").answers(
                200, attempts=count(1)
            ),
            get("/v2/Attempts/Summary", VerifyServiceSid="{service}").answers(
                200, total_attempts=1, total_converted=1, total_unconverted=0
            ),
        ),
    ),
    Case(
        "a webhook has its documented form",
        f"{SPEC}: Webhook",
        (
            post(
                f"{SERVICE}/Webhooks",
                FriendlyName="ours",
                EventTypes=["factor.created", "challenge.approved"],
                WebhookUrl="https://example.com/hook",
            )
            .answers(201, status="enabled", version="v2", event_types=count(2))
            .keeping(hook="sid"),
            post(f"{SERVICE}/Webhooks/{{hook}}", Status="disabled").answers(200, status="disabled"),
        ),
    ),
    Case(
        "a page holds a thousand at most",
        SPEC,
        (
            get("/v2/Services", PageSize="1001").answers(400),
            get("/v2/Services", PageSize="0").answers(400),
        ),
    ),
    Case(
        "a method that is not there is refused",
        error(20004),
        (delete(f"{SERVICE}/VerificationCheck").answers(405, code=20004),),
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
