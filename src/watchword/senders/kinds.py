"""The types of senders that `watchword.toml` may name, each imported when it is used."""

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any


@dataclass(frozen=True, slots=True)
class Kind:
    """Where a type's class is; `http` says that it is a Provider, spoken to by HttpSender.

    `extra` names what `pip install watchword[…]` must bring for it; one that `any_channel` may
    serve has to be told which.
    """

    module: str
    cls: str
    help: str
    http: bool = True
    extra: str | None = None
    any_channel: bool = False

    @property
    def is_installed(self) -> bool:
        return self.extra is None or find_spec(self.extra) is not None

    def load(self) -> Any:
        """Return the class."""
        return getattr(import_module(f"watchword.senders.{self.module}"), self.cls)


KINDS = {
    "twilio": Kind("twilio", "Twilio", "Twilio Messaging: SMS and WhatsApp"),
    "twilio-voice": Kind("twilio_voice", "TwilioVoice", "Twilio Voice: calls that say the code"),
    "twilio-verify": Kind(
        "twilio_verify", "VerifySender", "Twilio Verify, with our codes", http=False
    ),
    "vonage": Kind("vonage", "Vonage", "Vonage SMS API"),
    "sns": Kind("sns", "Sns", "AWS SNS"),
    "telnyx": Kind("telnyx", "Telnyx", "Telnyx Messaging"),
    "infobip": Kind("infobip", "Infobip", "Infobip SMS"),
    "plivo": Kind("plivo", "Plivo", "Plivo SMS"),
    "messagebird": Kind("messagebird", "MessageBird", "Bird (MessageBird) SMS"),
    "sinch": Kind("sinch", "Sinch", "Sinch SMS"),
    "whatsapp": Kind("whatsapp", "WhatsApp", "WhatsApp Cloud API, by an approved template"),
    "webhook": Kind("webhook", "Webhook", "your own HTTP service, by a signed request"),
    "smpp": Kind("smpp", "SmppSender", "a message centre, by SMPP 3.4", http=False),
    "smtp": Kind("smtp", "SmtpSender", "e-mail, by any SMTP server", http=False),
    "apprise": Kind(
        "apprise",
        "AppriseSender",
        "any service that Apprise has, by its URL",
        http=False,
        extra="apprise",
        any_channel=True,
    ),
}
