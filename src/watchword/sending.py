"""From a committed start to its message, and from a sender's word to the attempt's next state."""

import logging
from datetime import timedelta
from urllib.parse import quote

from watchword.commands.verifications import Started
from watchword.keys import Keyring
from watchword.model import Attempt, Channel, Delivery, Details
from watchword.phone import mask
from watchword.record import replace
from watchword.senders.base import Message, Receipt, Script, Sender
from watchword.texts.write import Occasion, Texts

logger = logging.getLogger("watchword")

MINUTE = timedelta(minutes=1)
NO_TRACE = "the sender failed in an unforeseen way: %s"
NO_SENDER = Receipt(Delivery.FAILED, reason="no sender is configured; set WATCHWORD_SENDER")


def message_of(started: Started, texts: Texts, receipts_url: str | None) -> Message:
    """Return the message that tells a start's code."""
    verification, attempt = started.verification, started.attempt
    left = verification.expires_at - attempt.created_at
    name = started.wording.friendly_name or started.service.friendly_name
    occasion = Occasion(name, started.code, attempt.country, -(-left // MINUTE))
    text = texts.write(occasion, started.wording)
    by_sms = attempt.channel is Channel.SMS
    return Message(
        attempt_sid=attempt.sid,
        to=verification.to,
        channel=attempt.channel,
        body=_with_payment(text.body if by_sms else text.plain, verification.details),
        code=started.code,
        sender_name=name,
        created_at=attempt.created_at,
        country=attempt.country,
        text=text,
        send_digits=started.wording.send_digits,
        asks_for_key=started.service.settings.dtmf_input_required,
        voice=started.service.settings.tts_name,
        receipts_url=receipts_url,
        messaging_service_sid=started.service.messaging_service_for(attempt.country),
        mail_from=started.wording.mail_from,
        mail_name=started.wording.mail_name,
    )


def with_script(message: Message, keyring: Keyring) -> Message:
    """Let a call that asks for a key be told its words by us; the code lies sealed in the address.

    A message that is no call stays as it is, and so does one whose provider cannot reach us.
    """
    url, text = message.receipts_url, message.text
    is_call = message.channel is Channel.CALL
    if not (is_call and message.asks_for_key and url and text):
        return message
    script = Script(text.language.voice, text.spoken, message.voice)
    sealed = keyring.seal(script.encode(), bound_to=f"call {message.attempt_sid}")
    url = url.replace("/receipts/", "/calls/", 1)
    return replace(message, script_url=f"{url}&script={quote(sealed, safe='')}")


def unsealed(sealed: str, attempt_sid: str, keyring: Keyring) -> Script:
    """Return the words of a call; raise ConfigurationError for what we did not seal for it."""
    return Script.decode(keyring.unseal(sealed, bound_to=f"call {attempt_sid}"))


async def safely(sender: Sender, message: Message) -> Receipt:
    """Hand a message to a sender; what it did not foresee is nobody's knowledge."""
    try:
        return await sender.send(message)
    except Exception as fault:  # whatever a sender's library raises: nobody knows how far it got
        logger.error(NO_TRACE, type(fault).__name__)  # noqa: TRY400  # a trace may hold the message
        return Receipt(Delivery.UNKNOWN, reason=type(fault).__name__)


def attempt_after(started: Started, receipt: Receipt, sender: Sender | None) -> Attempt:
    """Return the attempt as it stands once a sender has spoken."""
    return replace(
        started.attempt,
        status=receipt.status,
        sender=receipt.sender or (sender.name if sender else None),
        message_id=receipt.message_id,
        reason=receipt.reason,
        error_code=receipt.error_code,
        price=receipt.price,
        currency=receipt.currency,
    )


def tell_started(started: Started, receipt: Receipt) -> None:
    """Log a start, its number masked."""
    if logger.isEnabledFor(logging.INFO):
        logger.info(
            "verification.started sid=%s to=%s channel=%s delivery=%s",
            started.verification.sid,
            mask(started.verification.to),
            started.attempt.channel.value,
            receipt.status.value,
        )


def _with_payment(body: str, details: Details) -> str:
    """Say first what is paid and to whom: under PSD2 the payer must see what the code is for."""
    return body if details.amount is None else f"{details.payee}: {details.amount}\n{body}"
