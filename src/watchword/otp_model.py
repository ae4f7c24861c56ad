"""`OTP_Model`: Twilio Verify and the resend ladder as one documented class.

The class reads `logging`, `Client`, `TwilioRestException`, `datetime`, `timedelta`, the werkzeug
exceptions and `Svretries` from a module at the moment it needs them (`_names`), and settings from
another (`_settings`). So a door such as `src/models/_2FA.py` binds it to its own names, and a test
that replaces one of them there is honoured.
"""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from types import ModuleType
from typing import Any, TypeAlias

import requests
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client
from twilio.rest.verify.v2.service.verification import VerificationInstance
from twilio.rest.verify.v2.service.verification_check import VerificationCheckInstance
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from werkzeug.exceptions import (
    Forbidden,
    HTTPException,
    InternalServerError,
    TooManyRequests,
)

from watchword import config
from watchword.clock import Clock, whole_milliseconds
from watchword.commands.ladder import (
    Climb,
    Climbed,
    ClimbIfFree,
    DeleteCounter,
    GiveBackStep,
    LookAtCounter,
)
from watchword.commands.verifications import GuardedStart, StartVerification
from watchword.embedded import EmbeddedHttpClient
from watchword.engine import Engine
from watchword.errors import ConfigurationError, NotFound, TooSoon, WatchwordError
from watchword.model import Counter
from watchword.phone import parse
from watchword.record import replace
from watchword.rules.ladder import ahead
from watchword.runtime import shared_engine
from watchword.store.svretries import Svretries
from watchword.wire.verifications import show_verification

SMSObject: TypeAlias = VerificationInstance | VerificationCheckInstance

SAYS_NO = frozenset(  # Twilio's statuses of a check that proved nothing
    {"pending", "canceled", "expired", "max_attempts_reached", "deleted", "failed"}
)
REAL = (datetime,)  # in a tuple, where a library that freezes time does not exchange it


@dataclass(frozen=True, slots=True)
class GuardedVerification:
    """What a guarded send came to.

    `verification` is the SDK's own object, `counter` the pair's `Svretries` row after the step.
    Until `next_send_at` (aware UTC) further sends are refused; `waits_ahead` are the waits that
    the sends after that will bring, in order. After the last one the ladder starts again.
    """

    verification: SMSObject
    counter: Any
    next_send_at: datetime
    waits_ahead: tuple[timedelta, ...]


class OTP_Model:  # noqa: N801  # the documented name
    """Verify a phone number by a code sent to it, and make each further send wait longer.

    With `TWILIO_ACCOUNT_SID`, `TWILIO_AUTH_TOKEN` and `TWILIO_SERVICE_SID` set, Twilio sends and
    checks the codes; with none of them the embedded engine does, by the same rules. With some of
    them, ConfigurationError names the missing one. `TWILIO_VERIFY_BASE_URL` names a server that
    answers in Twilio's stead, such as `watchword serve`.

    Attributes:
        client: a `twilio.rest.Client`.
        phone_number: the number as it was given.
        Svretries: the class whose rows the counter methods return.

    """

    _names: ModuleType = sys.modules[__name__]
    _settings: ModuleType | None = None  # None: the environment alone

    def __init__(self, phone_number: str) -> None:
        names = self._names
        self.phone_number = phone_number
        self.Svretries = names.Svretries
        twilio = self._twilio()
        self._sent_by_twilio = twilio is not None
        if twilio is not None:
            account_sid, auth_token, self._service_sid = twilio
            self.client = names.Client(account_sid, auth_token)
            base_url = self._setting("TWILIO_VERIFY_BASE_URL")
            if base_url:
                self.client.verify.base_url = base_url
        else:
            known = self._engine.credentials
            self._service_sid = known.service_sid
            self.client = names.Client(
                known.account_sid, known.auth_token, http_client=EmbeddedHttpClient(self._engine)
            )

    def verification(self) -> SMSObject:
        """Send a code to the phone number by SMS.

        Returns the SDK's `VerificationInstance`, whose status is `pending`. Asked again while it
        is open, the same code goes out again. Raises InternalServerError for any failure; the
        reason is its `__cause__`, never its description.
        """
        try:
            return self._create()
        except Exception as fault:
            self._log("the verification could not be started", fault)
            raise self._names.InternalServerError from fault

    def verification_check(self, code: str) -> SMSObject:
        """Check the code that the person typed.

        Returns the SDK's `VerificationCheckInstance` with status `approved`. Raises Forbidden
        when the code is wrong, with Twilio's answer as its attribute `verification_check`, and
        when it has expired, was used or has had too many guesses. Raises InternalServerError for
        anything else.
        """
        names = self._names
        try:
            checks = self.client.verify.v2.services(self._service_sid).verification_checks
            answer: SMSObject = checks.create(to=self.phone_number, code=code)
        except names.TwilioRestException as refusal:
            raise names.Forbidden from refusal
        except Exception as fault:
            self._log("the code could not be checked", fault)
            raise names.InternalServerError from fault
        status = answer.status
        if isinstance(status, str) and status in SAYS_NO:
            forbidden = names.Forbidden()
            forbidden.verification_check = answer
            raise forbidden
        return answer

    def check_count(self, unique_id: str, user_id: str) -> Any:
        """Return the pair's counter, made with `count` 0 and `expires` None if there is none.

        Raises TooManyRequests inside the wait; its `retry_after` is the rest of it in seconds.
        Once the fourth wait has passed the ladder starts again, and the row says `count` 0.
        """
        with self._store_faults():
            return self._row(self._engine.perform(LookAtCounter(str(unique_id), str(user_id))))

    def add_count(self, counter: Any) -> str:
        """Take one step up the ladder and start its wait.

        The step is taken on what is stored, so none is lost when several are taken at once, and
        `counter` is brought up to date. Returns the Unix time at which the wait ends, in seconds.
        """
        with self._store_faults():
            step = Climb(counter.id, str(counter.uniqueId), str(counter.userId))
            after = self._engine.perform(step)
            counter.count, counter.expires = after.count, after.expires
            return str(_end(after).timestamp())

    def delete_count(self, counter_id: int) -> None:
        """Delete the counter of that id. Raises Forbidden when there is none."""
        with self._store_faults():
            self._engine.perform(DeleteCounter(int(counter_id)))

    def guarded_verification(self, unique_id: str, user_id: str) -> GuardedVerification:
        """Check the ladder, take the step and send the code, as one decision.

        Of any number of requests at once, in any number of processes, one sends and the others
        get TooManyRequests with `retry_after`. When the send definitely failed the step is given
        back; when that is uncertain it is kept. Either way InternalServerError says so.
        """
        pair = str(unique_id), str(user_id)
        with self._store_faults():
            if self._is_embedded():
                verification, counter = self._send_guarded(*pair)
            else:
                verification, counter = self._send_between(*pair)
            return GuardedVerification(
                verification=verification,
                counter=self._row(counter),
                next_send_at=_end(counter),
                waits_ahead=ahead(counter, self._engine.policy.ladder),
            )

    @cached_property
    def _engine(self) -> Engine:
        """Open the engine on first use: with Twilio behind it, only the ladder needs one."""
        settings = config.load()
        with self._store_faults():
            engine = shared_engine(settings, sending=not self._sent_by_twilio)
        ladder = tuple(self._wait(name) for name in config.LADDER)
        return engine.view(
            clock=_DoorClock(self._names, engine.clock),
            policy=replace(engine.policy, ladder=ladder),
        )

    def _create(self) -> SMSObject:
        service = self.client.verify.v2.services(self._service_sid)
        created: SMSObject = service.verifications.create(to=self.phone_number, channel="sms")
        return created

    def _is_embedded(self) -> bool:
        """Tell whether `client` is answered by our engine; a replaced one may not be."""
        return isinstance(getattr(self.client, "http_client", None), EmbeddedHttpClient)

    def _send_guarded(self, unique_id: str, user_id: str) -> tuple[SMSObject, Counter]:
        """Guard and start in one transaction."""
        known = self._engine.credentials
        start = StartVerification(known.service_sid, known.account_sid, parse(self.phone_number))
        guarded = self._engine.perform(GuardedStart(start, unique_id, user_id))
        version = self.client.verify.v2
        payload = show_verification(guarded.started.verification, version.domain.base_url)
        return VerificationInstance(version, payload, self._service_sid), guarded.counter

    def _send_between(self, unique_id: str, user_id: str) -> tuple[SMSObject, Counter]:
        """Take the step in one transaction, send, and undo the step if nothing was sent."""
        climbed: Climbed = self._engine.perform(ClimbIfFree(unique_id, user_id))
        try:
            return self._create(), climbed.counter
        except Exception as fault:
            if _was_not_sent(fault):
                self._engine.perform(GiveBackStep(climbed))
            raise

    def _row(self, counter: Counter) -> Any:
        """Show a counter as a row of `Svretries`; a new one's id is read back."""
        stored = counter
        if counter.id is None:
            stored = self._engine.store.counter(counter.unique_id, counter.user_id) or counter
        return self.Svretries(
            id=stored.id,
            userId=counter.user_id,
            uniqueId=counter.unique_id,
            count=counter.count,
            expires=counter.expires,
            createdAt=counter.created_at,
        )

    @contextmanager
    def _store_faults(self) -> Iterator[None]:
        """Turn what the ladder says, and what goes wrong, into the documented exceptions."""
        names = self._names
        try:
            yield
        except TooSoon as refusal:
            raise names.TooManyRequests(str(refusal), retry_after=refusal.retry_after) from refusal
        except (ConfigurationError, HTTPException):
            raise
        except Exception as fault:
            if isinstance(fault, NotFound) and fault.what == "counter":
                raise names.Forbidden from fault
            self._log("the request could not be carried out", fault)
            raise names.InternalServerError from fault

    def _log(self, what: str, fault: Exception) -> None:
        logger = self._names.logging.getLogger("watchword.otp_model")
        logger.error("%s: %s", what, self._without_secrets(fault))

    def _without_secrets(self, fault: Exception) -> str:
        """Say why in words that hold no number and no code: ours, or where Twilio explains it."""
        kind = type(fault).__name__
        if isinstance(fault, WatchwordError):
            return f"{kind}: {fault}"
        if not isinstance(fault, TwilioRestException):
            return kind
        if self._is_embedded():
            return f"{kind}: {fault.msg}"
        return f"{kind}: HTTP {fault.status}, https://www.twilio.com/docs/errors/{fault.code}"

    def _twilio(self) -> tuple[str, str, str] | None:
        """Return Twilio's three settings, or None when none of them is set."""
        found = {name: self._setting(name) for name in config.TWILIO}
        missing = [name for name, value in found.items() if not value]
        if len(missing) == len(found):
            return None
        if missing:
            raise ConfigurationError(
                f"{missing[0]} is missing; set all of {', '.join(config.TWILIO)}, "
                "or none of them to use the embedded engine",
                name=missing[0],
            )
        account_sid, auth_token, service_sid = found.values()
        return account_sid, auth_token, service_sid

    def _wait(self, name: str) -> timedelta:
        """Read a step of the ladder, which a user's own settings may give in any form."""
        try:
            wait: timedelta = self._names.timedelta(milliseconds=int(self._setting(name)))
        except (TypeError, ValueError, OverflowError) as fault:
            raise ConfigurationError(
                f"{name} cannot be read: a whole number of milliseconds is expected", name=name
            ) from fault
        return wait

    def _setting(self, name: str) -> Any:
        """Read a setting from the door's module or its `Configurations`, else the environment."""
        for holder in (self._settings, getattr(self._settings, "Configurations", None)):
            value = getattr(holder, name, None)
            if value is not None:
                return value
        return config.documented(name)


@dataclass(frozen=True, slots=True)
class _DoorClock:
    """Follow the door's `datetime` when it was replaced there, the engine's clock otherwise."""

    names: ModuleType
    engine_clock: Clock

    def now(self) -> datetime:
        """Return the present moment; a replaced `datetime` may answer in naive local time."""
        theirs = self.names.datetime
        if theirs is REAL[0]:
            return self.engine_clock.now()
        try:
            now: datetime = theirs.now(UTC)
        except TypeError:
            now = theirs.now()
        return whole_milliseconds(now.timestamp())


def _end(counter: Counter) -> datetime:
    if counter.expires is None:
        raise ValueError("a counter that has climbed has a wait")
    return counter.expires


def _was_not_sent(fault: Exception) -> bool:
    """Tell whether Twilio certainly sent nothing: it refused, or was never reached."""
    if isinstance(fault, TwilioRestException):
        return bool(400 <= fault.status < 500)
    if isinstance(fault, requests.ConnectionError):
        reason = getattr(fault.args[0] if fault.args else None, "reason", None)
        return isinstance(reason, ConnectTimeoutError | NameResolutionError | NewConnectionError)
    return False
