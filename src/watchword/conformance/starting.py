"""Cases of starting a verification, and of what may be said with it."""

from watchword.conformance.sources import LIMITS, OBSERVED, RETRIES, SPEC, VERIFICATIONS, error
from watchword.conformance.steps import Case, check, count, fetch, other_than, sid, start, update

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
        RETRIES,
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
        OBSERVED,
        (
            start(CustomCode="47382910").answers(201, status="pending"),
            check("47382910").answers(200, 201, status="pending"),
        ),
        needs_inbox=True,
    ),
    Case(
        "amount and payee are needed with PSD2",
        error(60206),
        (
            start().answers(400, code=60206),
            start(Amount="5.00", Payee="Acme").answers(201, amount="5.00", payee="Acme"),
        ),
        service={"Psd2Enabled": "true"},
    ),
    Case(
        "another amount than the one that was confirmed is a wrong code",
        "Verify docs: verifying transactions (PSD2)",
        (
            start(Amount="5.00", Payee="Acme"),
            check("{code}", To="{to}", Amount="5000.00", Payee="Acme").answers(
                200, 201, status="pending"
            ),
            check("{code}", To="{to}", Amount="5.00", Payee="Acme").answers(
                200, 201, status="approved"
            ),
        ),
        service={"Psd2Enabled": "true"},
    ),
    Case(
        "a call cannot confirm a payment",
        error(60214),
        (start(Channel="call", Amount="5.00", Payee="Acme").answers(400, code=60214),),
        service={"Psd2Enabled": "true"},
    ),
    Case(
        "a language is one that there are texts in",
        OBSERVED,
        (
            start(Locale="fr").answers(201, status="pending"),
            start(Locale="xx").answers(400, code=60200),
        ),
    ),
    Case(
        "a template is one that there is",
        error(60228),
        (start(TemplateSid="HJ" + "0" * 32).answers(404, code=60228),),
    ),
    Case(
        "an app hash is for messages, not for calls",
        error(60602),
        (start(Channel="call", AppHash="He42w354ol9").answers(400, code=60602),),
    ),
    Case(
        "tags are a map of ten short texts at most",
        f"{SPEC}: Tags",
        (
            start(Tags='{{"order": "42"}}').answers(201, status="pending"),
            start(Tags="order").answers(400, code=60200),
        ),
    ),
)
