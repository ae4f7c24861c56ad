"""Twilio's Python SDK, synchronous and asynchronous, drives every operation of a real server."""

import asyncio
from datetime import datetime
from typing import Any

import pytest
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.rest import Client

from tests.conftest import PHONE
from watchword.kit_server import KitServer
from watchword.wire.routes import ROUTES


class Driver:
    """Call the SDK's methods, or their `…_async` twins, and look at what they return."""

    def __init__(self, client: Client, *, awaits: bool) -> None:
        self._verify = client.verify.v2
        self._awaits = awaits
        self.done: list[str] = []

    async def call(self, operation: str, thing: Any, method: str, **given: Any) -> Any:
        """Run one operation; its dates must be dates."""
        if self._awaits:
            found = await getattr(thing, f"{method}_async")(**given)
        else:
            found = getattr(thing, method)(**given)
        for record in found if isinstance(found, list) else [found]:
            for name in ("date_created", "date_updated"):
                if hasattr(record, name):
                    assert isinstance(getattr(record, name), datetime), (operation, name)
        self.done.append(operation)
        return found

    async def five(self, name: str, things: Any, made: Any, changed: Any) -> Any:
        """Make, list, show and change one; return what shows it, for it to be deleted later."""
        record = await self.call(f"Create{name}", things, "create", **made)
        assert await self.call(f"List{name}", things, "list", limit=5)
        thing = things(getattr(record, "sid", None) or record.country)
        await self.call(f"Fetch{name}", thing, "fetch")
        await self.call(f"Update{name}", thing, "update", **changed)
        return thing

    async def everything(self) -> None:
        """Run every operation there is."""
        verify = self._verify
        service = await self.five(
            "Service", verify.services, {"friendly_name": "Acme"}, {"friendly_name": "Acme Bank"}
        )
        limit = await self.five(
            "RateLimit", service.rate_limits, {"unique_name": "ip"}, {"description": "by address"}
        )
        bucket = await self.five("Bucket", limit.buckets, {"max": 5, "interval": 60}, {"max": 6})
        country = await self.five(
            "MessagingConfiguration",
            service.messaging_configurations,
            {"country": "CM", "messaging_service_sid": "MG" + "0" * 32},
            {"messaging_service_sid": "MG" + "1" * 32},
        )
        webhook = await self.five(
            "Webhook",
            service.webhooks,
            {
                "friendly_name": "ours",
                "event_types": ["*"],
                "webhook_url": "https://example.com/hook",
            },
            {"status": "disabled"},
        )
        await self.call("CreateSafelist", verify.safelist, "create", phone_number=PHONE)
        safe = await self.call("FetchSafelist", verify.safelist(PHONE), "fetch")
        assert safe.phone_number == PHONE
        await self.call("ListVerificationTemplate", verify.templates, "list", limit=5)
        await self.verification(service)
        await self.attempts()
        assert await self.call("DeleteSafelist", verify.safelist(PHONE), "delete")
        for name, thing in (
            ("Webhook", webhook),
            ("MessagingConfiguration", country),
            ("Bucket", bucket),
            ("RateLimit", limit),
            ("Service", service),
        ):
            assert await self.call(f"Delete{name}", thing, "delete")

    async def verification(self, service: Any) -> None:
        """Start, look at, fail to check and cancel a verification."""
        verifications, checks = service.verifications, service.verification_checks
        started = await self.call(
            "CreateVerification", verifications, "create", to=PHONE, channel="sms"
        )
        assert started.status == "pending"
        await self.call("FetchVerification", verifications(started.sid), "fetch")
        wrong = await self.call(
            "CreateVerificationCheck", checks, "create", to=PHONE, code="00000000"
        )
        assert wrong.valid is False
        closed = await self.call(
            "UpdateVerification", verifications(started.sid), "update", status="canceled"
        )
        assert closed.status == "canceled"

    async def attempts(self) -> None:
        """Look at what was sent."""
        attempts, summary = self._verify.verification_attempts, "FetchVerificationAttemptsSummary"
        (attempt, *_) = await self.call("ListVerificationAttempt", attempts, "list", limit=5)
        await self.call("FetchVerificationAttempt", attempts(attempt.sid), "fetch")
        found = await self.call(summary, self._verify.verification_attempts_summary(), "fetch")
        assert found.total_attempts == 1


@pytest.mark.parametrize("awaits", [False, True], ids=["sync", "async"])
def test_the_sdk_drives_every_operation(awaits: bool, watchword_server: KitServer) -> None:
    known = watchword_server.credentials

    async def drive() -> list[str]:
        http = AsyncTwilioHttpClient() if awaits else None
        client = Client(known.account_sid, known.auth_token, http_client=http)
        client.verify.base_url = watchword_server.url
        driver = Driver(client, awaits=awaits)
        await driver.everything()
        if http is not None:
            await http.close()
        return driver.done

    assert set(asyncio.run(drive())) == {route.operation for route in ROUTES}
