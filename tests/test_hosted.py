"""The hosted page over HTTP: the journey, its guards, its results, and what it never tells."""

import re
from typing import Any

import jwt
import pytest
from starlette.testclient import TestClient

from tests.conftest import CREDENTIALS, PHONE, SERVICE
from tests.hosted import BACK, KNOWN, PLACES, Answer, Person, client_of, open_page, result_of
from watchword.clock import ManualClock
from watchword.commands.verifications import CheckCode, StartVerification
from watchword.engine import Engine
from watchword.model import Channel
from watchword.phone import parse
from watchword.senders.inbox import InboxSender
from watchword.store.memory import MemoryStore
from watchword.ui.hosted_view import offered
from watchword.ui.returns import Places


@pytest.fixture
def store() -> MemoryStore:
    """Return the quicker store: what lies in tables is held by the stores' own contract."""
    return MemoryStore()


def wrong_code(inbox: InboxSender) -> str:
    return f"{(int(inbox.messages()[0].code) + 1) % 10**6:06}"


def test_the_journey_ends_with_a_result_the_app_checks_by_itself(
    engine: Engine, inbox: InboxSender, clock: ManualClock
) -> None:
    person = Person.at(engine)
    person.submit("number", number="650 00 00 00", country="CM")
    assert "+237 6 50 00 00 00" in person.look().text
    assert "Enter your code" in person.submit("send", channel="sms").text

    done = person.submit("code", code=inbox.messages(PHONE)[0].body)

    assert done.headers["location"].startswith(f"{BACK}&watchword_result=")
    keys = jwt.PyJWKSet.from_dict(person.client.get("/.well-known/jwks.json").json())
    token = result_of(done)
    key = keys[jwt.get_unverified_header(token)["kid"]]
    timeless: Any = {"verify_exp": False, "verify_iat": False}
    claims = jwt.decode(token, key, ["EdDSA"], audience=SERVICE.sid, options=timeless)
    assert claims["iss"] == "https://verify.example"
    assert claims["sub"] == "user-1"
    assert claims["exp"] - claims["iat"] == 60
    assert claims["exp"] == int(clock.now().timestamp()) + 60
    assert PHONE not in str(claims)


def approved(engine: Engine, inbox: InboxSender, **more: str) -> tuple[Person, str]:
    person = Person.at(engine, **more)
    person.ask("650000000")
    return person, result_of(person.submit("code", code=inbox.messages(PHONE)[0].code))


def use(client: TestClient, token: str) -> Answer:
    return client.post("/pages/results", data={"Result": token}, auth=KNOWN)


def test_a_result_is_used_once(engine: Engine, inbox: InboxSender) -> None:
    person, token = approved(engine, inbox)
    again = result_of(person.submit("continue"))

    used = use(person.client, token)

    assert used.status_code == 200
    assert (used.json()["user_id"], used.json()["to"]) == ("user-1", PHONE)
    assert use(person.client, token).status_code == 404
    assert use(person.client, again).status_code == 404


def test_a_result_lives_a_minute(engine: Engine, inbox: InboxSender, clock: ManualClock) -> None:
    person, token = approved(engine, inbox)

    clock.advance(seconds=60)

    assert use(person.client, token).status_code == 404


def test_a_result_that_was_altered_is_none(engine: Engine, inbox: InboxSender) -> None:
    person, token = approved(engine, inbox)
    head, claims, signature = token.split(".")

    for forged in (f"{head}.{claims[:-2]}AA.{signature}", f"{head}.{claims}.", "x", "a.b.c"):
        assert use(person.client, forged).status_code == 404


def test_the_api_needs_the_account(engine: Engine) -> None:
    client = client_of(engine)

    for answer in (
        client.post("/pages", data={"UserId": "u", "ReturnUrl": BACK}),
        client.post("/pages/results", data={"Result": "x"}),
        client.get("/pages/WP00"),
    ):
        assert answer.status_code == 401
        assert answer.json()["code"] == 20003


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/back",
        "https://app.example.evil.example/",
        "https://app.example@evil.example/",
        "https://evil.example\\@app.example/",
        "http://app.example/back",
        "https://app.example:8443/back",
        "javascript:alert(1)",
        "//app.example/back",
        "https://app.example/\r\nSet-Cookie:a=b",
        "",
    ],
)
def test_only_listed_places_are_returned_to(engine: Engine, url: str) -> None:
    answer = client_of(engine).post("/pages", data={"UserId": "u", "ReturnUrl": url}, auth=KNOWN)

    assert answer.status_code == 400
    assert "ReturnUrl" in answer.json()["message"]


def test_a_listed_path_covers_what_is_below_it_alone() -> None:
    places = Places("", ("https://app.example/in",))

    assert places.allow("https://app.example/in/side")
    for url in ("/inside", "/in/../out", "/in/%2e%2e/out", "/"):
        with pytest.raises(Exception, match="WATCHWORD_RETURN_URLS"):
            places.allow(f"https://app.example{url}")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("UserId", ""),
        ("UserId", "u" * 256),
        ("To", "12"),
        ("Accent", "red;}"),
        ("Radius", "1px;x"),
        ("Logo", "https://cdn.example/x.png; script-src *"),
        ("Logo", "javascript:x"),
        ("Channels", "pigeon"),
        ("Name", "n" * 41),
    ],
)
def test_what_the_app_asks_for_is_checked(engine: Engine, field: str, value: str) -> None:
    form = {"UserId": "u", "ReturnUrl": BACK} | {field: value}

    answer = client_of(engine).post("/pages", data=form, auth=KNOWN)

    assert answer.status_code == 400
    assert field in answer.json()["message"]


# Guards of the forms


def test_a_form_of_another_site_is_refused(engine: Engine, inbox: InboxSender) -> None:
    person = Person.at(engine)
    person.submit("number", number=PHONE)
    token = re.findall(r'name="form" value="(\w+)"', person.look().text)[0]

    forged = [
        person.client.post(f"{person.path}/send", data={"channel": "sms"}),
        person.client.post(f"{person.path}/send", data={"form": "0" * 32, "channel": "sms"}),
        person.client.post(
            f"{person.path}/send", data={"form": token}, headers={"sec-fetch-site": "cross-site"}
        ),
        person.client.post(
            f"{person.path}/send", data={"form": token}, headers={"origin": "https://evil.example"}
        ),
    ]

    assert [answer.status_code for answer in forged] == [403] * 4
    assert inbox.messages() == []


def test_a_page_that_was_taken_up_belongs_to_its_browser(
    engine: Engine, inbox: InboxSender
) -> None:
    person = Person.at(engine)
    person.ask("650000000")
    thief = Person(client_of(engine), person.path)

    seen = thief.look()

    assert seen.status_code == 409
    assert "open elsewhere" in seen.text
    assert "650" not in seen.text
    assert thief.submit("code", code=inbox.messages()[0].code).status_code == 409


def test_looking_takes_nothing_up(engine: Engine) -> None:
    person = Person.at(engine)
    for _ in range(3):
        assert Person(client_of(engine), person.path).look().status_code == 200

    assert "Is this your number?" in person.submit("number", number=PHONE).text


def test_cookies_are_for_us_alone(engine: Engine) -> None:
    cookie = Person.at(engine).look().headers["set-cookie"]

    assert cookie.startswith("__Host-watchword-page=")
    for part in ("Path=/", "HttpOnly", "Secure", "SameSite=Lax"):
        assert part in cookie
    framed = Person.at(engine, Modal="true").look().headers["set-cookie"]
    assert "SameSite=None; Partitioned" in framed


def test_no_page_says_more_than_its_policy_allows(engine: Engine) -> None:
    person = Person.at(engine)
    headers = person.look().headers

    policy = headers["content-security-policy"]
    assert "unsafe" not in policy
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self' https://app.example;" in policy
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    for html in (person.look().text, person.ask("650000000").text):
        assert not re.search(r"<[^>]+\s(style|on\w+)=", html)
        assert "<script>" not in html


def test_a_modal_page_is_framed_by_its_app_alone(engine: Engine) -> None:
    headers = Person.at(engine, Modal="true").look().headers

    assert "frame-ancestors https://app.example;" in headers["content-security-policy"]
    assert "x-frame-options" not in headers


def test_markup_stays_text_wherever_it_comes_from(engine: Engine) -> None:
    nasty = '"><script>alert(1)</script>'
    person = Person.at(engine, Name=nasty, Locale=nasty)

    for html in (person.look().text, person.submit("number", number=nasty).text):
        assert "<script>alert" not in html


@pytest.mark.parametrize("header", ["host", "x-forwarded-host", "forwarded", "x-host"])
def test_a_forged_host_leads_nowhere(engine: Engine, inbox: InboxSender, header: str) -> None:
    client = client_of(engine)
    forged = {header: "host=evil.example" if header == "forwarded" else "evil.example"}
    made = client.post(
        "/pages", data={"UserId": "u", "ReturnUrl": BACK}, auth=KNOWN, headers=forged
    )
    person = Person(client, made.json()["url"].removeprefix("https://verify.example"))
    client.headers.update(forged if header != "host" else {})
    person.ask("650000000")
    done = person.submit("code", code=inbox.messages()[0].code)

    assert made.json()["url"].startswith("https://verify.example/p/")
    seen = f"{made.text} {person.look().text} {done.headers} {inbox.messages()[0].body}"
    assert "evil.example" not in seen


# What the page tells of a number: nothing


STATES = (
    *("in a wait", "further up the ladder", "sent out"),
    *("closed", "locked", "approved before"),
)


def neutral(answer: Answer) -> tuple[int, str, list[str]]:
    """Return an answer without its ids and times."""
    text = re.sub(r"WP[0-9a-f]{32}|[0-9a-f]{32}", "ID", answer.text)
    text = re.sub(r'data-left="\d+"|\d+ (?:s|min|h)\b', "TIME", text)
    return answer.status_code, text, sorted(answer.headers)


def state(engine: Engine, inbox: InboxSender, name: str, clock: ManualClock) -> None:
    """Bring the number into a state that strangers or its owner brought about."""
    known = CREDENTIALS
    start = StartVerification(known.service_sid, known.account_sid, parse(PHONE))
    if name == "in a wait":
        Person.at(engine, address="198.51.100.1").ask("650000000")
    elif name == "further up the ladder":
        for minutes in (2, 5):
            Person.at(engine, address="198.51.100.1").ask("650000000")
            clock.advance(minutes=minutes)
    elif name == "sent out":
        for _ in range(5):
            engine.perform(start)
    elif name in ("closed", "locked"):
        for _ in range(10 if name == "locked" else 1):
            engine.perform(start)
            for _ in range(5):
                check = CheckCode(known.service_sid, known.account_sid, "nope", to=PHONE)
                engine.perform(check)
            if name == "locked":
                clock.advance(minutes=10)
    elif name == "approved before":
        person = Person.at(engine, address="198.51.100.1")
        person.ask("650000000")
        person.submit("code", code=inbox.messages(PHONE)[0].code)


@pytest.mark.parametrize("name", STATES)
def test_a_page_never_tells_what_others_did_to_a_number(
    engine: Engine, inbox: InboxSender, clock: ManualClock, name: str
) -> None:
    fresh = Person.at(engine)
    fresh_steps = [fresh.look(), fresh.ask("650000001"), fresh.submit("code", code="000000")]
    state(engine, inbox, name, clock)

    known = Person.at(engine)
    known_steps = [known.look(), known.ask("650000000"), known.submit("code", code="000000")]

    for one, other in zip(fresh_steps, known_steps, strict=True):
        left, right = neutral(one), neutral(other)
        assert left[0] == right[0]
        assert left[1].replace("01</bdi>", "00</bdi>") == right[1]
        assert left[2] == right[2]


def test_an_unknown_page_and_an_expired_one_look_alike(engine: Engine, clock: ManualClock) -> None:
    person = Person.at(engine)
    clock.advance(minutes=30)

    expired = person.look()
    unknown = person.client.get("/p/WP" + "0" * 32)

    assert expired.status_code == 404
    assert neutral(expired) == neutral(unknown)


def test_a_code_from_before_is_still_good_in_a_new_visit(
    engine: Engine, inbox: InboxSender
) -> None:
    Person.at(engine).ask("650000000")
    code = inbox.messages(PHONE)[0].code
    later = Person.at(engine)

    later.ask("650000000")

    assert len(inbox.messages(PHONE)) == 1
    assert result_of(later.submit("code", code=code))


# Waits, limits, and what is said of them


def test_the_resend_wait_is_the_servers(
    engine: Engine, inbox: InboxSender, clock: ManualClock
) -> None:
    person = Person.at(engine)
    assert 'data-left="120"' in person.ask("650000000").text

    early = person.submit("send", channel="sms")
    assert early.status_code == 429
    assert "you can ask for another code in 2 min" in early.text
    for minutes, next_wait in ((2, 300), (5, 900), (15, 86400)):
        clock.advance(minutes=minutes)
        again = person.submit("send", channel="sms")
        assert f'data-left="{next_wait}"' in again.text

    assert len(inbox.messages(PHONE)) == 4


def test_the_last_two_tries_are_counted_and_then_it_closes(
    engine: Engine, inbox: InboxSender, clock: ManualClock
) -> None:
    person = Person.at(engine)
    person.ask("650000000")
    wrong = wrong_code(inbox)

    said = [person.submit("code", code=wrong).text for _ in range(5)]

    assert ["Tries left" in text for text in said] == [False, False, True, True, False]
    assert "Tries left: 1." in said[3]
    assert "Too many wrong codes. You can ask for a new one in 10 min." in said[4]
    closed = person.submit("code", code=inbox.messages()[0].code)
    assert closed.status_code == 429
    clock.advance(minutes=10)
    person.submit("send", channel="sms")
    assert result_of(person.submit("code", code=inbox.messages()[0].code))


def test_a_code_of_the_wrong_length_costs_no_try(engine: Engine, inbox: InboxSender) -> None:
    person = Person.at(engine)
    person.ask("650000000")

    for _ in range(9):
        assert "The code has 6 digits." in person.submit("code", code="12345").text

    assert result_of(person.submit("code", code=inbox.messages()[0].code))


def test_an_expired_code_is_called_so(
    engine: Engine, inbox: InboxSender, clock: ManualClock
) -> None:
    person = Person.at(engine)
    person.ask("650000000")
    clock.advance(minutes=10)

    late = person.submit("code", code=inbox.messages()[0].code)

    assert "This code has expired" in late.text
    assert "You can ask for another code now" in late.text


def test_a_number_can_be_corrected(engine: Engine, inbox: InboxSender) -> None:
    person = Person.at(engine)
    person.ask("650000001")

    assert "Your phone number" in person.submit("edit").text
    person.ask("650000000")

    assert inbox.messages()[0].to == PHONE


def test_a_number_the_app_gave_is_masked_and_stays(engine: Engine, inbox: InboxSender) -> None:
    person = Person.at(engine, To=PHONE)
    seen = person.look().text

    assert "+237•••••••00" in seen
    assert PHONE[4:9] not in seen  # fewer digits may stand in a sid by chance
    assert "/edit" not in seen
    assert "We sent a 6-digit code" in person.submit("send", channel="sms").text
    assert inbox.messages()[0].to == PHONE


def test_one_network_asks_for_twenty_codes_an_hour(
    engine: Engine, inbox: InboxSender, clock: ManualClock
) -> None:
    for number in range(20):
        Person.at(engine).ask(f"6500000{number:02}")
    refused = Person.at(engine).ask("650000099")
    elsewhere = Person.at(engine, address="203.0.113.9").ask("650000099")

    assert refused.status_code == 429
    assert "from your network" in refused.text
    assert elsewhere.status_code == 200
    clock.advance(hours=1)
    assert Person.at(engine).ask("650000098").status_code == 200


def test_an_ipv6_customer_is_one_network(engine: Engine) -> None:
    for number in range(20):
        Person.at(engine, address=f"2001:db8:1:2::{number:x}").ask(f"6500000{number:02}")

    assert Person.at(engine, address="2001:db8:1:2:ffff::1").ask("650000099").status_code == 429
    assert Person.at(engine, address="2001:db8:1:3::1").ask("650000099").status_code == 200


def test_leaving_tells_the_app(engine: Engine) -> None:
    person = Person.at(engine)

    left = person.submit("leave")

    assert left.headers["location"] == f"{BACK}&watchword_error=canceled"
    assert person.look().status_code == 409
    sid = person.path.removeprefix("/p/")
    assert person.client.get(f"/pages/{sid}", auth=KNOWN).json()["status"] == "canceled"


def test_a_stranger_cannot_lock_a_known_device_out(
    engine: Engine, inbox: InboxSender, clock: ManualClock
) -> None:
    victim, _ = approved(engine, inbox)
    for _ in range(4):  # a cycle: every send there is, and the wrong codes
        stranger = Person.at(engine, address="203.0.113.66")
        stranger.ask("650000000")
        for _ in range(5):
            stranger.submit("code", code=wrong_code(inbox))
        clock.advance(minutes=15)
    stranger = Person.at(engine, address="203.0.113.66")
    stranger.ask("650000000")

    again = Person(victim.client, open_page(victim.client)["url"].removeprefix(PLACES.public_url))
    again.ask("650000000")

    assert result_of(again.submit("code", code=inbox.messages(PHONE)[0].code))


def test_a_device_that_lies_about_itself_is_not_known(engine: Engine, inbox: InboxSender) -> None:
    Person.at(engine, address="203.0.113.66").ask("650000000")
    liar = Person.at(engine)
    lie = f"{'a' * 32}.{'b' * 32}"
    liar.client.cookies.set("__Host-watchword-device", lie, domain="verify.example")

    liar.ask("650000000")

    assert len(inbox.messages(PHONE)) == 1


def test_production_needs_its_own_address(engine: Engine) -> None:
    client = client_of(engine, Places("", ("https://app.example",)))

    answer = client.post("/pages", data={"UserId": "u", "ReturnUrl": BACK}, auth=KNOWN)

    assert answer.status_code == 400
    assert "WATCHWORD_PUBLIC_URL" in answer.json()["message"]


def test_the_message_speaks_the_pages_language(engine: Engine, inbox: InboxSender) -> None:
    person = Person.at(engine, Locale="de", Name="Acme")

    assert '<html lang="de" dir="ltr">' in person.look().text
    person.ask("650000000")

    assert "Acme" in inbox.messages()[0].body
    assert "code" in inbox.messages()[0].body.lower()
    assert "verification code is" not in inbox.messages()[0].body


# A page about an e-mail address


MAIL = "ada@example.com"


def test_an_e_mail_address_is_confirmed_the_same_way(engine: Engine, inbox: InboxSender) -> None:
    person = Person.at(engine, Channels="email")
    asked = person.look().text
    assert "Your e-mail address" in asked
    assert 'type="email" autocomplete="email"' in asked
    assert "Country" not in asked

    assert "Is this your address?" in person.submit("number", number=" Ada@Example.com ").text
    assert f'code to <bdi dir="ltr">{MAIL}</bdi>' in person.submit("send", channel="email").text
    done = person.submit("code", code=inbox.messages(MAIL)[0].code)

    used = person.client.post("/pages/results", data={"Result": result_of(done)}, auth=KNOWN)
    assert (used.json()["to"], inbox.messages()[0].channel) == (MAIL, "email")


def test_an_address_the_app_gave_is_masked(engine: Engine) -> None:
    seen = Person.at(engine, Channels="email", To=MAIL).look().text

    assert "a••@example.com" in seen
    assert "ada" not in seen


@pytest.mark.parametrize("typed", ["", "ada", "+237650000000", "a@b", "a@b.c\r\nBcc: x@y.zz"])
def test_what_is_no_e_mail_address_is_refused_in_words(engine: Engine, typed: str) -> None:
    answer = Person.at(engine, Channels="email").submit("number", number=typed)

    assert answer.status_code == 422
    assert "We cannot send to this address" in answer.text


@pytest.mark.parametrize(
    "form",
    [
        {"Channels": "sms,email"},
        {"Channels": "email", "To": PHONE},
        {"Channels": "sms", "To": MAIL},
    ],
)
def test_a_page_has_one_kind_of_address(engine: Engine, form: dict[str, str]) -> None:
    form = {"UserId": "u", "ReturnUrl": BACK} | form

    assert client_of(engine).post("/pages", data=form, auth=KNOWN).status_code == 400


def test_only_channels_that_somebody_delivers_on_are_offered(engine: Engine) -> None:
    class TextOnly:
        name, waits, channels = "text", False, frozenset({Channel.SMS})

    engine.sender = TextOnly()  # type: ignore[assignment]

    page = Person.at(engine, Channels="sms,call,whatsapp")
    page.submit("number", number=PHONE)
    engine.sender = None
    page.submit("send", channel="sms")
    engine.sender = TextOnly()  # type: ignore[assignment]

    assert [c.value for c in offered((Channel.SMS, Channel.CALL), engine.channels)] == ["sms"]
    assert "Call me instead" not in page.look().text


def test_the_inbox_and_the_console_take_e_mail_too(engine: Engine, inbox: InboxSender) -> None:
    Person.at(engine, Channels="email", To=MAIL).submit("send", channel="email")
    client = client_of(engine, Places(development=True))
    known = {"account": CREDENTIALS.account_sid, "token": CREDENTIALS.auth_token}

    shown = client.get("/inbox", params={"to": MAIL})
    assert f'<bdi dir="ltr">{MAIL}</bdi>' in shown.text
    client.post("/console/sign-in", data=known)
    form = re.search(r'name="form" value="(\w+)"', client.get("/console").text)
    assert form
    told = client.post("/console/phone", data={"form": form[1], "number": MAIL}).text
    assert "e-mail is sent to" in told
    assert "Block" not in told


def test_a_form_larger_than_any_is_refused_unread(engine: Engine) -> None:
    person = Person.at(engine)

    sent = person.client.post(f"{person.path}/number", data={"number": "1" * 100_000})

    assert sent.status_code == 413
    assert client_of(engine).post("/pages", data={"UserId": "1" * 100_000}).status_code == 401
