"""The safe list: numbers that an account exempts from limits and country lists."""

from watchword.commands.base import Context, Decision
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
        return Keys.of(SafeNumber, *safe_names(keyring, self.account_sid, self.to))

    def decide(self, rows: Rows, context: Context) -> Decision[SafeNumber]:
        if find_safe_number(rows, context.keyring, self.account_sid, self.to) is not None:
            raise SafeNumberExists
        name = safe_names(context.keyring, self.account_sid, self.to)[0]
        made = SafeNumber(name, context.new_sid("GN"), self.account_sid, context.now)
        return Decision(Changes.of(made), made)


class FetchSafeNumber(Record, frozen=True):
    """Say whether a number is exempt."""

    account_sid: str
    to: str

    def keys(self, keyring: Keyring) -> Keys:
        return Keys.of(SafeNumber, *safe_names(keyring, self.account_sid, self.to))

    def decide(self, rows: Rows, context: Context) -> Decision[SafeNumber]:
        found = find_safe_number(rows, context.keyring, self.account_sid, self.to)
        if found is None:
            raise NotFound("safe number")
        return Decision(Changes(), found)


class RemoveSafeNumber(Record, frozen=True):
    """Exempt a number no longer."""

    account_sid: str
    to: str

    def keys(self, keyring: Keyring) -> Keys:
        return Keys.of(SafeNumber, *safe_names(keyring, self.account_sid, self.to))

    def decide(self, rows: Rows, context: Context) -> Decision[None]:
        found = find_safe_number(rows, context.keyring, self.account_sid, self.to)
        if found is None:
            raise NotFound("safe number")
        return Decision(Changes().delete(SafeNumber, found.key), None)


def safe_names(keyring: Keyring, account_sid: str, to: str) -> tuple[str, ...]:
    """Return an address's fingerprints within an account under every key, newest first."""
    newest = keyring.fingerprint(account_sid, to)
    return (newest, *keyring.older_fingerprints(account_sid, to))


def find_safe_number(rows: Rows, keyring: Keyring, account_sid: str, to: str) -> SafeNumber | None:
    """Return the safe list's row of an address, or None."""
    names = safe_names(keyring, account_sid, to)
    return next((row for name in names if (row := rows.get(SafeNumber, name))), None)
