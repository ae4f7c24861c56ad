"""How a request finds a verification: by address, by sid, or by both where both must fit."""

from watchword.commands.base import Context
from watchword.errors import MissingAddress, NotFound
from watchword.keys import Keyring
from watchword.model import Subject, Verification
from watchword.record import Hidden, Record
from watchword.store.base import Keys, Rows
from watchword.tenants import Service


class Held(Record, frozen=True):
    """What is stored of an address."""

    subject: Subject | None = None
    latest: Verification | None = None


def find_held(rows: Rows, names: tuple[str, ...]) -> Held:
    """Find an address's rows, whichever key named them."""
    subject = next((row for name in names if (row := rows.get(Subject, name))), None)
    if subject is None:
        return Held()
    return Held(subject, rows.get(Verification, subject.verification_sid))


class Named(Record, frozen=True):
    """What a request names a verification by."""

    service_sid: str
    to: Hidden[str | None]
    verification_sid: str | None
    lane: str = ""

    def keys(self, keyring: Keyring) -> Keys:
        """Name the rows that it may mean; raises MissingAddress when it names none."""
        if self.to is None and self.verification_sid is None:
            raise MissingAddress
        keys = Keys.reading(Service, self.service_sid)
        keys |= Keys.one_of(Subject, *self._subjects(keyring))
        if self.verification_sid is not None:
            keys |= Keys.of(Verification, self.verification_sid)
        return keys

    def find(self, rows: Rows, context: Context) -> tuple[Subject, Verification]:
        """Find the verification and its subject, else `seek`; a superseded one may have none.

        An older key named the subject that it knows, and a later start has moved that one since.
        """
        subject, found = self.seek(rows, context)
        if subject is None:
            raise NotFound  # as for every superseded one: nothing about it is open
        return subject, found

    def seek(self, rows: Rows, context: Context) -> tuple[Subject | None, Verification]:
        """Find the verification, and its subject if it has one; raises NotFound."""
        held = find_held(rows, self._subjects(context.keyring))
        subject, found = held.subject, held.latest
        sid = self.verification_sid
        if sid is not None and (found is None or found.sid != sid):
            found = rows.get(Verification, sid)
            if found is not None and self.to is None:
                subject = rows.get(Subject, found.subject)
        if found is None or found.service_sid != self.service_sid:
            raise NotFound
        if self.to is not None and found.to != self.to:
            raise NotFound
        return subject, found

    def _subjects(self, keyring: Keyring) -> tuple[str, ...]:
        """Return what each key calls the address, newest first; none where there is none."""
        if self.to is None:
            return ()
        return keyring.names(self.service_sid, self.to + self.lane)
