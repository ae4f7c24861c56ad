"""A login by phone with FastAPI and Twilio's own SDK: nothing in it knows of watchword.

Run it against Twilio with the three `TWILIO_…` variables, or against `watchword serve` with
`TWILIO_VERIFY_BASE_URL` beside them.
"""

import os
from typing import Annotated, Any

from fastapi import FastAPI, Form, HTTPException
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

app = FastAPI()
Field = Annotated[str, Form()]


def verify() -> Any:
    """Return the Verify service of the environment."""
    client = Client(os.environ["TWILIO_ACCOUNT_SID"], os.environ["TWILIO_AUTH_TOKEN"])
    client.verify.base_url = os.environ.get("TWILIO_VERIFY_BASE_URL", client.verify.base_url)
    return client.verify.v2.services(os.environ["TWILIO_SERVICE_SID"])


@app.post("/login")
def login(phone: Field) -> dict[str, str]:
    """Send a code."""
    try:
        verify().verifications.create(to=phone, channel="sms")
    except TwilioRestException as refusal:
        raise HTTPException(refusal.status, "the code could not be sent") from refusal
    return {"next": "/code"}


@app.post("/code")
def code(phone: Field, code: Field) -> dict[str, str]:
    """Let the person in; a wrong code is an answer with status `pending`, not an error."""
    try:
        check = verify().verification_checks.create(to=phone, code=code)
    except TwilioRestException as refusal:
        raise HTTPException(403, "ask for a new code") from refusal
    if check.status != "approved":
        raise HTTPException(403, "that is not the code")
    return {"welcome": phone}
