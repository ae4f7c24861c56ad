"""What a service or a request says of the way: a messaging service by country, a mail's sender."""

from twilio.rest import Client

from tests.conftest import CREDENTIALS, KEYRING, NOON, SERVICE
from tests.senders.test_dispatch import SENT, Scripted
from watchword.clock import ManualClock
from watchword.commands.services import EnsureService
from watchword.embedded import EmbeddedHttpClient
from watchword.engine import Engine
from watchword.model import Channel
from watchword.senders.dispatch import Dispatch
from watchword.senders.routes import Choice, Route
from watchword.store.memory import MemoryStore

MG = "MG" + "1" * 32


def test_a_messaging_configuration_chooses_the_route_and_a_request_the_mail_s_sender() -> None:
    cheap, french, mail = Scripted("cheap", SENT), Scripted("french", SENT), Scripted("mail", SENT)
    routes = [
        Route(Channel.SMS, (Choice("cheap"),)),
        Route(Channel.SMS, (Choice("french"),), messaging_services=frozenset({MG})),
        Route(Channel.EMAIL, (Choice("mail"),)),
    ]
    senders = {"cheap": cheap, "french": french, "mail": mail}
    sender = Dispatch(senders, routes)
    engine = Engine(MemoryStore(), sender, KEYRING, CREDENTIALS, clock=ManualClock(NOON))
    engine.perform(EnsureService(SERVICE))
    known = CREDENTIALS.account_sid, CREDENTIALS.auth_token
    client = Client(*known, http_client=EmbeddedHttpClient(engine))
    service = client.verify.v2.services(CREDENTIALS.service_sid)

    service.verifications.create(to="+33612345678", channel="sms")
    service.messaging_configurations.create(country="FR", messaging_service_sid=MG)
    service.verifications.create(to="+33612345679", channel="sms")
    service.verifications.create(to="+237650000000", channel="sms")
    service.messaging_configurations.create(country="all", messaging_service_sid=MG)
    service.verifications.create(to="+237650000001", channel="sms")
    wanted = {"from": "login@acme.example", "from_name": "Acme Login"}
    service.verifications.create(to="ada@b.example", channel="email", channel_configuration=wanted)

    assert [one.to for one in cheap.got] == ["+33612345678", "+237650000000"]
    assert [one.to for one in french.got] == ["+33612345679", "+237650000001"]
    assert (mail.got[0].mail_from, mail.got[0].mail_name) == ("login@acme.example", "Acme Login")
