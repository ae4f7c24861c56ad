"""Who is at the console: an operator signed in with the account's sid and token, for some hours."""

import secrets
from dataclasses import dataclass
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response

from watchword.codes import same
from watchword.engine import Engine
from watchword.gate import SID

SESSION = timedelta(hours=8)
COOKIE = "watchword-console"
PARTS = 4  # account, who, until when, chance


@dataclass(frozen=True, slots=True)
class Operator:
    """A signed-in operator: `name` is the account's or the API key's sid, `token` the cookie."""

    account_sid: str
    name: str
    token: str

    def form_token(self, engine: Engine) -> str:
        """Return what every form of this session carries."""
        return engine.page_macs(f"console form {self.token}")[0]

    def sent_form(self, engine: Engine, token: str) -> bool:
        """Tell whether a form carries this session's token."""
        return any(same(token, mac) for mac in engine.page_macs(f"console form {self.token}"))


async def sign_in(engine: Engine, account_sid: str, name: str) -> str:
    """Return a fresh session: who, until when, and proof that we wrote it."""
    until = int((engine.clock.now() + SESSION).timestamp())
    said = f"{account_sid}.{name}.{until}.{secrets.token_hex(8)}"
    return f"{said}.{engine.page_macs(_claim(said, await engine.standing(name)))[0]}"


async def operator_of(engine: Engine, request: Request, *, secure: bool) -> Operator | None:
    """Return who is signed in, or None: also where the key or the token is not what it was."""
    token = request.cookies.get(_name(secure=secure), "")
    said, _, mac = token.rpartition(".")
    parts = said.split(".")
    if len(parts) != PARTS:
        return None
    account_sid, name, until, _ = parts
    standing = await engine.standing(name) if SID.fullmatch(name) else None
    if standing is None:
        return None
    if not any(same(mac, ours) for ours in engine.page_macs(_claim(said, standing))):
        return None
    if engine.clock.now().timestamp() >= int(until):
        return None
    return Operator(account_sid, name, token)


def _claim(said: str, standing: str | None) -> str:
    return f"console {said} {standing}"


def keep(response: Response, token: str, *, secure: bool) -> None:
    """Set the session's cookie; an empty token ends it."""
    age = int(SESSION.total_seconds()) if token else 0
    cookie = f"{_name(secure=secure)}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={age}"
    response.headers.append("Set-Cookie", f"{cookie}; Secure" if secure else cookie)


def _name(*, secure: bool) -> str:
    return f"__Host-{COOKIE}" if secure else COOKIE
