"""The safe list: numbers that an account exempts from limits and country lists."""

from watchword.commands.base import Context, Decision
from watchword.commands.naming import kept
from watchword.errors import NotFound, SafeNumberExists
from watchword.keys import Keyring
from watchword.model import SafeNumber
from watchword.record import Record
from watchword.store.base import Changes, Keys, Rows


class AddSafeNumber(Record, frozen=True):
    """Exempt a number."""

    account_sid: str
    to: str

    def keys(self, keyring: Keyring) -> Keys:
        return Keys.one_of(SafeNumber, *keyring.names(self.account_sid, self.to))

    def decide(self, rows: Rows, context: Context) -> Decision[SafeNumber]:
        if find_safe_number(rows, context.keyring, self.account_sid, self.to) is not None:
            raise SafeNumberExists
        name = context.keyring.fingerprint(self.account_sid, self.to)
        made = SafeNumber(name, context.new_sid("GN"), self.account_sid, context.now)
        return Decision(kept(None, made, self.to, name, context.keyring), made)


class FetchSafeNumber(Record, frozen=True):
    """Say whether a number is exempt; one that an older key has named moves to its newest name."""

    account_sid: str
    to: str

    def keys(self, keyring: Keyring) -> Keys:
        return Keys.one_of(SafeNumber, *keyring.names(self.account_sid, self.to))

    def decide(self, rows: Rows, context: Context) -> Decision[SafeNumber]:
        found = find_safe_number(rows, context.keyring, self.account_sid, self.to)
        if found is None:
            raise NotFound("safe number")
        name = context.keyring.fingerprint(self.account_sid, self.to)
        if found.key == name and found.sealed_name is not None:
            return Decision(Changes(), found)
        return Decision(kept(found, found, self.to, name, context.keyring), found)


class RemoveSafeNumber(Record, frozen=True):
    """Exempt a number no longer."""

    account_sid: str
    to: str

    def keys(self, keyring: Keyring) -> Keys:
        return Keys.one_of(SafeNumber, *keyring.names(self.account_sid, self.to))

    def decide(self, rows: Rows, context: Context) -> Decision[None]:
        found = find_safe_number(rows, context.keyring, self.account_sid, self.to)
        if found is None:
            raise NotFound("safe number")
        return Decision(Changes().delete(SafeNumber, found.key), None)


def find_safe_number(rows: Rows, keyring: Keyring, account_sid: str, to: str) -> SafeNumber | None:
    """Return the safe list's row of an address, or None."""
    names = keyring.names(account_sid, to)
    return next((row for name in names if (row := rows.get(SafeNumber, name))), None)
