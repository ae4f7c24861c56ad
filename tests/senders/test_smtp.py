"""E-mail: composed in the message's language, taken by a real SMTP server, its no's told apart."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword

from tests.senders.fakes import CODE, message
from watchword.model import Channel, Delivery
from watchword.record import replace
from watchword.senders.base import Receipt, Trouble
from watchword.senders.smtp import SmtpSender, compose

MAIL = message(Channel.EMAIL, "somebody@example.com")


class Mailbox:
    """What a server got, and the answers it gives."""

    def __init__(self) -> None:
        self.got: list[Envelope] = []
        self.to_rcpt = "250 OK"
        self.to_data = "250 OK"

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self, _server: Any, _session: Any, envelope: Envelope, address: str, _options: Any
    ) -> str:
        envelope.rcpt_tos.append(address)
        return self.to_rcpt

    async def handle_DATA(  # noqa: N802  # aiosmtpd's name
        self, _server: Any, _session: Any, envelope: Envelope
    ) -> str:
        self.got.append(envelope)
        return self.to_data


@contextmanager
def smtp_server(**options: Any) -> Iterator[tuple[Mailbox, int]]:
    mailbox = Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(mailbox, "127.0.0.1", port, **options)
    controller.start()
    try:
        yield mailbox, port
    finally:
        controller.stop()


def sender(port: int = 9, **given: str) -> SmtpSender:
    options = {option.name: option.default or "" for option in SmtpSender.OPTIONS}
    here = {"host": "127.0.0.1", "port": str(port), "security": "none"}
    here["from"] = "Acme <no-reply@acme.example>"
    return SmtpSender("mail", options | here | given, timeout=2)


def send(port: int, **given: str) -> Receipt:
    return asyncio.run(sender(port, **given).send(MAIL))


def test_a_server_gets_text_and_html_with_the_code_once_in_each() -> None:
    with smtp_server() as (mailbox, port):
        receipt = send(port)

    envelope = mailbox.got[0]
    assert isinstance(envelope.content, bytes)
    mail = message_from_bytes(envelope.content, _class=EmailMessage, policy=policy.default)
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert receipt.status is Delivery.SENT
    assert mail["Message-ID"] == f"<{receipt.message_id}>"
    assert envelope.rcpt_tos == ["somebody@example.com"]
    assert mail["From"] == "Acme <no-reply@acme.example>"
    assert mail["Subject"] == "Your Acme verification code"
    for body in (text.get_content(), html.get_content()):
        assert body.count(CODE) == 1
        assert "expires in 10 minutes" in body
    assert 'lang="en" dir="ltr"' in html.get_content()


@pytest.mark.parametrize(
    ("rcpt", "data", "trouble"),
    [
        ("550 5.1.1 <somebody@example.com> unknown", "250 OK", Trouble.RECIPIENT),
        ("450 4.2.1 busy", "250 OK", Trouble.BUSY),
        ("250 OK", "554 5.7.1 spam", Trouble.CONTENT),
        ("250 OK", "451 4.3.0 later", Trouble.BUSY),
    ],
)
def test_a_server_s_no_is_definite_and_repeats_no_address(
    rcpt: str, data: str, trouble: Trouble
) -> None:
    with smtp_server() as (mailbox, port):
        mailbox.to_rcpt, mailbox.to_data = rcpt, data
        receipt = send(port)

    assert (receipt.status, receipt.trouble) == (Delivery.FAILED, trouble)
    assert "somebody" not in receipt.detail


@pytest.mark.parametrize(
    ("wanted", "came_from"),
    [("login@acme.example", "login@acme.example"), ("ceo@bank.example", "no-reply@acme.example")],
)
def test_a_request_names_the_sender_but_within_our_own_domain(wanted: str, came_from: str) -> None:
    mail = replace(
        message(Channel.EMAIL, to="ada@b.example"), mail_from=wanted, mail_name='Ada\'s "Bank"'
    )

    composed = compose(mail, "Acme <no-reply@acme.example>", sender()._wanted(mail))

    assert composed["From"].addresses[0].addr_spec == came_from
    assert composed["From"].addresses[0].display_name == 'Ada\'s "Bank"'


def test_a_wrong_password_names_the_credentials() -> None:
    def refuse(_server: Any, _session: Any, _envelope: Any, _how: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        return AuthResult(success=False, handled=False)

    with smtp_server(authenticator=refuse, auth_require_tls=False) as (_, port):
        receipt = send(port, user="acme", password="wrong")

    assert (receipt.status, receipt.trouble) == (Delivery.FAILED, Trouble.CREDENTIALS)


def test_a_server_without_starttls_is_not_trusted_with_a_code() -> None:
    with smtp_server() as (mailbox, port):
        receipt = send(port, security="starttls")

    assert (receipt.status, receipt.trouble) == (Delivery.FAILED, Trouble.SETUP)
    assert mailbox.got == []


def test_a_server_that_is_not_there_is_a_definite_failure() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    assert send(port).trouble is Trouble.OUTAGE
