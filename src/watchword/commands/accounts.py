"""Accounts and API keys: made, listed, rotated, revoked, and recognised by what they know."""

from typing import Any

from watchword import codes
from watchword.commands.base import Context, Decision
from watchword.commands.reading import Reading
from watchword.errors import InvalidParameter, NotFound
from watchword.keys import Keyring
from watchword.record import Record, replace
from watchword.store.base import Changes, Keys, Query, Rows, Store
from watchword.tenants import Account, ApiKey

LONGEST_NAME = 64
MOST_LISTED = 1000


class Shown(Record, frozen=True):
    """A record with its secret, which is shown this once."""

    record: Account | ApiKey
    secret: str


class CreateAccount(Record, frozen=True):
    """Make an account."""

    friendly_name: str

    def keys(self, keyring: Keyring) -> Keys:
        return Keys()

    def decide(self, rows: Rows, context: Context) -> Decision[Shown]:
        account = Account(
            sid=context.new_sid("AC"),
            friendly_name=_name(self.friendly_name),
            key_id=context.keyring.newest.id,
            nonce=context.new_nonce(),
            created_at=context.now,
            updated_at=context.now,
        )
        return Decision(Changes.of(account), Shown(account, _token(account, context.keyring)))


class RotateToken(Record, frozen=True):
    """Give an account another auth token; the old one is good for nothing from now on."""

    sid: str

    def keys(self, keyring: Keyring) -> Keys:
        return Keys.of(Account, self.sid)

    def decide(self, rows: Rows, context: Context) -> Decision[Shown]:
        account = replace(
            _account(rows, self.sid),
            key_id=context.keyring.newest.id,
            nonce=context.new_nonce(),
            updated_at=context.now,
        )
        return Decision(Changes.of(account), Shown(account, _token(account, context.keyring)))


class RevokeAccount(Record, frozen=True):
    """Let nobody in as this account any more, neither by its token nor by its keys."""

    sid: str

    def keys(self, keyring: Keyring) -> Keys:
        return Keys.of(Account, self.sid)

    def decide(self, rows: Rows, context: Context) -> Decision[Account]:
        account = replace(_account(rows, self.sid), revoked=True, updated_at=context.now)
        return Decision(Changes.of(account), account)


class CreateApiKey(Record, frozen=True):
    """Make an API key of an account; `secret` is fresh, and its MAC is all that is kept of it."""

    account_sid: str
    friendly_name: str
    embedded: bool = False  # the account is the embedded default, which lies in no table

    def keys(self, keyring: Keyring) -> Keys:
        return Keys.reading(Account, self.account_sid)

    def decide(self, rows: Rows, context: Context) -> Decision[Shown]:
        if not self.embedded:
            _account(rows, self.account_sid)
        sid, secret = context.new_sid("SK"), context.new_nonce()
        key = context.keyring.newest
        made = ApiKey(
            sid=sid,
            account_sid=self.account_sid,
            friendly_name=_name(self.friendly_name),
            key_id=key.id,
            mac=codes.api_key_mac(key, sid, secret),
            created_at=context.now,
            updated_at=context.now,
        )
        return Decision(Changes.of(made), Shown(made, secret))


class RevokeApiKey(Record, frozen=True):
    """Let nobody in by this key any more."""

    sid: str

    def keys(self, keyring: Keyring) -> Keys:
        return Keys.of(ApiKey, self.sid)

    def decide(self, rows: Rows, context: Context) -> Decision[ApiKey]:
        found = rows.get(ApiKey, self.sid)
        if found is None:
            raise NotFound("API key")
        revoked = replace(found, revoked=True, updated_at=context.now)
        return Decision(Changes.of(revoked), revoked)


class ListAccounts(Record, Reading[list[Account]], frozen=True):
    """List the accounts, newest first."""

    def read(self, store: Store, context: Context) -> list[Account]:
        return store.page(Query(Account, limit=MOST_LISTED))


class ListApiKeys(Record, Reading[list[ApiKey]], frozen=True):
    """List the API keys of one account, or of all, newest first."""

    account_sid: str | None = None

    def read(self, store: Store, context: Context) -> list[ApiKey]:
        equal = {} if self.account_sid is None else {"account_sid": self.account_sid}
        return store.page(Query(ApiKey, equal, limit=MOST_LISTED))


class Holder(Record, frozen=True):
    """Who may come in by a sid: the rows that say so, as they were a moment ago."""

    account: Account | None = None
    api_key: ApiKey | None = None

    def lets_in(self, secret: str, keyring: Keyring, embedded: str) -> str | None:
        """Return the account that this secret opens, or None; `embedded` lies in no table."""
        if self.api_key is None:
            if self.account is None or self.account.revoked:
                return None
            right = keyring.get(self.account.key_id) is not None and codes.same(
                _token(self.account, keyring), secret
            )
            return self.account.sid if right else None
        key = keyring.get(self.api_key.key_id)
        if key is None or self.api_key.revoked:
            return None
        if self.api_key.account_sid != embedded and (self.account is None or self.account.revoked):
            return None
        right = codes.same(self.api_key.mac, codes.api_key_mac(key, self.api_key.sid, secret))
        return self.api_key.account_sid if right else None

    def standing(self, embedded: str) -> str | None:
        """Return what stays the same while the secret does; None for who is let in no more."""
        if self.api_key is None:
            return None if self.account is None or self.account.revoked else self.account.nonce
        of_embedded = self.api_key.account_sid == embedded
        has_account = of_embedded or (self.account is not None and not self.account.revoked)
        return self.api_key.mac if has_account and not self.api_key.revoked else None


class FindHolder(Record, Reading[Holder], frozen=True):
    """Find who may come in by a sid, an account's or an API key's."""

    sid: str

    def read(self, store: Store, context: Context) -> Holder:
        if self.sid.startswith("AC"):
            return Holder(_first(store, Account, self.sid))
        api_key: ApiKey | None = _first(store, ApiKey, self.sid)
        if api_key is None:
            return Holder()
        return Holder(_first(store, Account, api_key.account_sid), api_key)


class FindToken(Record, Reading[str | None], frozen=True):
    """Derive an account's auth token, to sign with; None where there is no such account."""

    account_sid: str

    def read(self, store: Store, context: Context) -> str | None:
        account: Account | None = _first(store, Account, self.account_sid)
        if account is None or context.keyring.get(account.key_id) is None:
            return None
        return _token(account, context.keyring)


def _first(store: Store, kind: type[Any], sid: str) -> Any:
    return next(iter(store.page(Query(kind, {"sid": sid}))), None)


def _account(rows: Rows, sid: str) -> Account:
    found = rows.get(Account, sid)
    if found is None or found.revoked:
        raise NotFound("account")
    return found


def _token(account: Account, keyring: Keyring) -> str:
    key = keyring.get(account.key_id)
    if key is None:
        raise NotFound("key of this account")
    return codes.auth_token(key, account.sid, account.nonce)


def _name(text: str) -> str:
    if not 1 <= len(text) <= LONGEST_NAME or not text.isprintable():
        raise InvalidParameter("name", f"a name has 1 to {LONGEST_NAME} characters")
    return text
