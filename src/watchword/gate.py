"""The gate: whose credentials these are, remembered for a moment so that the store is spared."""

import re
import time
from collections.abc import Callable

from watchword.codes import same
from watchword.commands.accounts import FindHolder, Holder
from watchword.errors import NotAuthenticated
from watchword.home import Credentials
from watchword.keys import Keyring

REMEMBERED_SECONDS = 2.0  # what is revoked or rotated elsewhere is so here after this long
REMEMBERED_HOLDERS = 10_000
SID = re.compile(r"(?:AC|SK)[0-9a-f]{32}", re.ASCII)

Given = tuple[str, str] | None


class Gate:
    """Let accounts in by their token or by an API key."""

    def __init__(
        self,
        embedded: Credentials,
        keyring: Keyring,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._embedded = embedded
        self._keyring = keyring
        self._now = now
        self._holders: dict[str, tuple[float, Holder]] = {}

    def enter(self, given: Given) -> str | FindHolder:
        """Return the account let in, or what is to be read before `learn` can say.

        Refuses with NotAuthenticated what cannot be anybody's credentials.
        """
        if given is None:
            raise NotAuthenticated
        user, password = given
        if same(user, self._embedded.account_sid) & same(password, self._embedded.auth_token):
            return self._embedded.account_sid
        if not SID.fullmatch(user) or user == self._embedded.account_sid:
            raise NotAuthenticated
        read_at, holder = self._holders.get(user, (0.0, None))
        if holder is None or self._now() - read_at > REMEMBERED_SECONDS:
            return FindHolder(user)
        return self._let_in(holder, password)

    def learn(self, given: Given, holder: Holder) -> str:
        """Remember a holder that was read, and return the account let in."""
        if given is None:
            raise NotAuthenticated
        user, password = given
        if len(self._holders) >= REMEMBERED_HOLDERS:
            self._holders.clear()
        self._holders[user] = (self._now(), holder)
        return self._let_in(holder, password)

    def _let_in(self, holder: Holder, password: str) -> str:
        account_sid = holder.lets_in(password, self._keyring, self._embedded.account_sid)
        if account_sid is None:
            raise NotAuthenticated
        return account_sid
