"""E-mail by any SMTP server: text and HTML, one connection a message, in a thread of its own."""

import asyncio
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formataddr, parseaddr
from html import escape
from typing import ClassVar, Final

from watchword.model import Channel
from watchword.senders.base import Message, Receipt, Trouble
from watchword.senders.provider import Given, Option

SECURITY: Final = ("starttls", "tls", "none")


class SmtpSender:
    """Hand each message to an SMTP server."""

    CHANNELS: ClassVar[frozenset[Channel]] = frozenset({Channel.EMAIL})
    OPTIONS: ClassVar[tuple[Option, ...]] = (
        Option("host", "the SMTP server"),
        Option("port", "its port", "587"),
        Option("security", "starttls, tls or none", "starttls"),
        Option("user", "the user name, where it wants one", ""),
        Option("password", "the password", "", secret=True),
        Option("from", "the address it comes from, such as Acme <no-reply@acme.example>"),
    )
    waits = True

    def __init__(self, name: str, given: Given, *, timeout: float = 10.0) -> None:
        if given["security"] not in SECURITY:
            raise ValueError(f"security: there are {', '.join(SECURITY)}")
        if not given["port"].isdigit():
            raise ValueError("port: a number is expected")
        self._from = parseaddr(given["from"])[1]
        if "@" not in self._from:
            raise ValueError("from: an address such as no-reply@acme.example is expected")
        self.name = name
        self.host, self.port, self.security = given["host"], int(given["port"]), given["security"]
        self.address = (self.host, self.port, self.security == "tls")
        self._given = given
        self._timeout = timeout

    async def send(self, message: Message) -> Receipt:
        """Send one e-mail."""
        return await asyncio.to_thread(self._send, message)

    def close(self) -> None:
        """Hold nothing open."""

    def _send(self, message: Message) -> Receipt:
        address = self._wanted(message)
        mail = compose(message, self._given["from"], address)
        offered = False
        try:
            with self._connect() as server:
                if self._given["user"]:
                    server.login(self._given["user"], self._given["password"])
                offered = True
                server.send_message(mail, address, [message.to])
        except smtplib.SMTPAuthenticationError as fault:
            return Receipt.failed(Trouble.CREDENTIALS, 20003, _words(fault))
        except smtplib.SMTPRecipientsRefused as fault:
            code, words = next(iter(fault.recipients.values()))
            trouble = Trouble.RECIPIENT if code >= 500 else Trouble.BUSY
            return Receipt.failed(trouble, 21211 if code >= 500 else 20429, _text(words))
        except smtplib.SMTPSenderRefused as fault:
            return Receipt.failed(Trouble.SETUP, None, _words(fault))
        except smtplib.SMTPResponseException as fault:
            trouble = Trouble.CONTENT if fault.smtp_code >= 500 else Trouble.BUSY
            return Receipt.failed(trouble, None, _words(fault))
        except (smtplib.SMTPNotSupportedError, ssl.SSLError) as fault:
            return Receipt.failed(Trouble.SETUP, None, type(fault).__name__)
        except (smtplib.SMTPException, OSError) as fault:
            if offered:  # it broke in the middle: the server may have taken it
                return Receipt.unknown(detail=type(fault).__name__)
            return Receipt.failed(Trouble.OUTAGE, None, type(fault).__name__)
        return Receipt.sent(str(mail["Message-ID"]).strip("<>"))

    def _wanted(self, message: Message) -> str:
        """Return the address that a request wants, within our own domain; else our own."""
        wanted = message.mail_from or ""
        own = self._from.rpartition("@")[2].lower()
        return wanted if wanted.rpartition("@")[2].lower() == own else self._from

    def _connect(self) -> smtplib.SMTP:
        if self.security == "tls":
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(self.host, self.port, timeout=self._timeout, context=context)
        server = smtplib.SMTP(self.host, self.port, timeout=self._timeout)
        if self.security == "starttls":
            try:
                server.starttls(context=ssl.create_default_context())
            except BaseException:
                server.close()
                raise
        return server


def compose(message: Message, sender: str, address: str) -> EmailMessage:
    """Return the e-mail, in text and in HTML, in the message's language."""
    text = message.text
    mail = EmailMessage()
    name = message.mail_name or parseaddr(sender)[0] or message.sender_name
    mail["From"] = formataddr((name, address))
    mail["To"] = message.to
    mail["Subject"] = text.subject if text else message.sender_name
    mail["Message-ID"] = f"<{message.attempt_sid}@{address.rpartition('@')[2]}>"
    mail["Date"] = message.created_at
    mail["Auto-Submitted"] = "auto-generated"
    tag, direction = (text.language.tag, text.language.direction) if text else ("en", "ltr")
    footer = text.footer if text else ""
    mail.set_content(f"{message.body}\n\n{footer}\n")
    mail.add_alternative(_html(message, tag, direction, footer), subtype="html")
    return mail


def _html(message: Message, tag: str, direction: str, footer: str) -> str:
    intro = message.body.split("\n")[0].replace(message.code, "").rstrip(" :：")
    return (
        f'<!doctype html><html lang="{tag}" dir="{direction}"><body '
        'style="font:16px/1.5 system-ui,sans-serif;margin:2em">'
        f"<p>{escape(intro)}</p>"
        '<p dir="ltr" style="font:600 32px/1.2 ui-monospace,monospace;letter-spacing:.15em">'
        f"{escape(message.code)}</p>"
        f'<p style="color:#666">{escape(footer)}</p></body></html>\n'
    )


def _words(fault: smtplib.SMTPResponseException) -> str:
    return f"{fault.smtp_code} {_text(fault.smtp_error)}"


def _text(words: bytes | str) -> str:
    return words.decode("utf-8", "replace") if isinstance(words, bytes) else words
