"""Twilio Voice: a call that says the code slowly, twice (https://www.twilio.com/docs/voice)."""

from typing import ClassVar, Final
from xml.sax.saxutils import escape, quoteattr

from watchword.model import Channel, Delivery
from watchword.senders.base import Message, Receipt, Script, Trouble
from watchword.senders.provider import Callback, Given, HttpRequest, HttpResponse, Notice, Option
from watchword.senders.twilio import ACCOUNT, check_signature, form_request, read_twilio

STATUSES: Final = {  # what became of a call → what that says of the code
    "queued": (Delivery.SENT, None),
    "initiated": (Delivery.SENT, None),
    "ringing": (Delivery.SENT, None),
    "in-progress": (Delivery.SENT, None),
    "completed": (Delivery.DELIVERED, None),
    "busy": (Delivery.UNDELIVERED, Trouble.RECIPIENT),
    "no-answer": (Delivery.UNDELIVERED, Trouble.RECIPIENT),
    "canceled": (Delivery.FAILED, Trouble.OUTAGE),
    "failed": (Delivery.FAILED, Trouble.OUTAGE),
}


class TwilioVoice:
    """Send through Twilio's Calls resource, with the words in the request itself."""

    CHANNELS: ClassVar[frozenset[Channel]] = frozenset({Channel.CALL})
    OPTIONS: ClassVar[tuple[Option, ...]] = (
        *ACCOUNT,
        Option("from", "the number the call comes from"),
    )

    def __init__(self, given: Given) -> None:
        self._given = given
        self._url = f"{given['url']}/2010-04-01/Accounts/{given['account_sid']}/Calls.json"

    def request(self, message: Message, callback: str | None) -> HttpRequest:
        """Ask for a call."""
        form = {"To": message.to, "From": self._given["from"], "Twiml": twiml(message)}
        if message.send_digits:
            form["SendDigits"] = message.send_digits
        if callback:
            form["StatusCallback"] = callback
        return form_request(self._url, form, self._given)

    def read(self, response: HttpResponse) -> Receipt:
        """Read Twilio's Call resource or its error body."""
        return read_twilio(response)

    def pressed(self, callback: Callback) -> None:
        """Raise NotAuthentic unless it is Twilio that says a key was pressed."""
        check_signature(callback, self._given)

    def notices(self, callback: Callback) -> list[Notice]:
        """Read a status callback."""
        check_signature(callback, self._given)
        found = STATUSES.get(callback.form.get("CallStatus", ""))
        if found is None:
            return []
        return [Notice(found[0], callback.form.get("CallSid"), trouble=found[1])]


def twiml(message: Message) -> str:
    """Return the call's script: it asks for a key where one is wanted, else says the code at once.

    A mailbox presses no key, so it hears no code.
    """
    text = message.text
    if text is None:
        return said(Script("en-US", (message.body, message.body), message.voice))
    if message.script_url is None:
        return said(Script(text.language.voice, text.spoken, message.voice))
    asked = _sentence(Script(text.language.voice, (), message.voice), text.language.press)
    url = quoteattr(message.script_url)
    gather = f'action={url} method="POST" numDigits="1" finishOnKey="" timeout="5"'
    return (
        f'<Response><Pause length="1"/><Gather {gather}>'
        f'{asked}<Pause length="4"/>{asked}</Gather></Response>'
    )


def said(script: Script) -> str:
    """Return the words themselves: a breath, the sentence, a breath, the sentence again."""
    sentences = '<Pause length="1"/>'.join(_sentence(script, each) for each in script.sentences)
    return f'<Response><Pause length="1"/>{sentences}</Response>'


def _sentence(script: Script, words: str) -> str:
    voice = f" voice={quoteattr(script.voice)}" if script.voice else ""
    return (
        f"<Say language={quoteattr(script.language)}{voice}>"
        f'<prosody rate="slow">{escape(words)}</prosody></Say>'
    )
