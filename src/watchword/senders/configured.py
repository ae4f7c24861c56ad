"""The `[[senders]]` and `[[routes]]` of `watchword.toml`, read into a Dispatch.

Secrets are not written there: `auth_token_env = "NAME"` names a variable, `auth_token_file = "…"`
a file. A key nobody knows is refused by its name: a misspelt option would be no option.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from watchword.errors import ConfigurationError
from watchword.model import Channel
from watchword.numbering import check_country
from watchword.senders.base import Sender
from watchword.senders.dispatch import Dispatch
from watchword.senders.http import HttpSender
from watchword.senders.kinds import KINDS
from watchword.senders.provider import Option
from watchword.senders.routes import Choice, Pick, Route

COMMON = frozenset({"name", "type", "channels", "timeout_seconds"})
ROUTE_KEYS = frozenset(
    {"channel", "countries", "prefixes", "senders", "pick", "messaging_services"}
)
CHOICE_KEYS = frozenset({"name", "weight", "cost"})
TIMEOUT_SECONDS = 10.0
Table = Mapping[str, Any]


def dispatch_from(tables: Table, environment: Mapping[str, str]) -> Dispatch | None:
    """Return the sender that the tables describe, or None when they describe none.

    Raises ConfigurationError, naming the entry and the key, for what cannot be.
    """
    entries = _list(tables, "senders")
    if not entries:
        return None
    senders: dict[str, Sender] = {}
    serves: dict[str, frozenset[Channel]] = {}
    for number, entry in enumerate(entries, 1):
        name = str(entry.get("name") or entry.get("type") or f"number {number}")
        if name in senders:
            raise _wrong(f"senders.{name}", "two senders have this name")
        senders[name], serves[name] = _sender(name, entry, environment)
    routes = [_route(entry, serves) for entry in _list(tables, "routes")]
    return Dispatch(senders, [*routes, *_default_routes(routes, serves)])


def _sender(
    name: str, entry: Table, environment: Mapping[str, str]
) -> tuple[Sender, frozenset[Channel]]:
    kind = KINDS.get(str(entry.get("type")))
    if kind is None:
        raise _wrong(f"senders.{name}.type", f"there are {', '.join(KINDS)}")
    if not kind.is_installed:
        raise _wrong(f"senders.{name}.type", f"it needs: pip install 'watchword[{kind.extra}]'")
    if kind.any_channel and "channels" not in entry:
        raise _wrong(f"senders.{name}.channels", 'name what it serves, as ["sms"]')
    cls = kind.load()
    given = _options(name, entry, cls.OPTIONS, environment)
    channels = _channels(f"senders.{name}.channels", entry.get("channels"), cls.CHANNELS)
    timeout = entry.get("timeout_seconds", TIMEOUT_SECONDS)
    if not isinstance(timeout, int | float) or not 0 < timeout <= 120:
        raise _wrong(f"senders.{name}.timeout_seconds", "a number of seconds up to 120 is expected")
    try:
        if kind.http:
            return HttpSender(name, cls(given), timeout=float(timeout)), channels
        return cls(name, given, timeout=float(timeout)), channels
    except ValueError as fault:
        raise _wrong(f"senders.{name}", str(fault)) from fault


def _options(
    name: str, entry: Table, options: Sequence[Option], environment: Mapping[str, str]
) -> dict[str, Any]:
    _check_keys(name, entry, options)
    given: dict[str, Any] = {}
    for option in options:
        where = f"senders.{name}.{option.name}"
        if option.secret:
            given[option.name] = _secret(where, option, entry, environment)
        elif option.table:
            given[option.name] = dict(entry.get(option.name, {}))
        else:
            given[option.name] = str(entry.get(option.name, option.default or ""))
            _check_address(where, option.name, given[option.name])
        if option.default is None and not given[option.name]:
            raise _wrong(f"senders.{name}.{_names(option)[0]}", f"it is missing: {option.help}")
    return given


def _check_address(where: str, option: str, value: str) -> None:
    if option == "url" and value and not value.startswith(("https://", "http://")):
        raise _wrong(where, "an address such as https://api.example.com is expected")


def _names(option: Option) -> tuple[str, ...]:
    return (f"{option.name}_env", f"{option.name}_file") if option.secret else (option.name,)


def _check_keys(name: str, entry: Table, options: Sequence[Option]) -> None:
    """Refuse what nobody knows, and a secret that is written down, before what is missing."""
    known = COMMON.union(*map(_names, options))
    for key in entry:
        if key not in known:
            secret = any(option.secret and option.name == key for option in options)
            words = (
                f"do not write it down; name a variable with {key}_env or a file with {key}_file"
                if secret
                else f"there is no such key; there are {', '.join(sorted(known))}"
            )
            raise _wrong(f"senders.{name}.{key}", words)


def _secret(where: str, option: Option, entry: Table, environment: Mapping[str, str]) -> str:
    variable, path = entry.get(f"{option.name}_env"), entry.get(f"{option.name}_file")
    if variable is not None:
        value = environment.get(str(variable), "")
        if not value:
            raise _wrong(f"{where}_env", f"the variable {variable} is not set")
        return value
    if path is None:
        return option.default or ""
    try:
        return Path(str(path)).expanduser().read_text("utf-8").strip()
    except OSError as fault:
        raise _wrong(f"{where}_file", f"{path} cannot be read ({fault.strerror})") from fault


def _route(entry: Table, serves: Mapping[str, frozenset[Channel]]) -> Route:
    for key in entry:
        if key not in ROUTE_KEYS:
            raise _wrong(f"routes.{key}", f"there are {', '.join(sorted(ROUTE_KEYS))}")
    channel = next(iter(_channels("routes.channel", [entry.get("channel", "sms")], None)))
    choices = tuple(_choice(item, channel, serves) for item in entry.get("senders", ()))
    if not choices:
        raise _wrong("routes.senders", "name one sender at least")
    prefixes = tuple(str(prefix) for prefix in entry.get("prefixes", ()))
    if any(not prefix.startswith("+") for prefix in prefixes):
        raise _wrong("routes.prefixes", "a prefix begins with +, as +237 does")
    countries = frozenset(str(country).upper() for country in entry.get("countries", ()))
    if any(len(country) != 2 for country in countries):
        raise _wrong("routes.countries", "a country has two letters, as FR has")
    try:
        countries = frozenset(map(check_country, countries))
    except ValueError as fault:
        raise _wrong("routes.countries", str(fault)) from fault
    services = frozenset(str(sid) for sid in entry.get("messaging_services", ()))
    if any(not sid.startswith("MG") for sid in services):
        raise _wrong("routes.messaging_services", "a messaging service's sid begins with MG")
    try:
        pick = Pick(entry.get("pick", "order"))
    except ValueError as fault:
        raise _wrong("routes.pick", f"there are {', '.join(Pick)}") from fault
    return Route(channel, choices, countries, prefixes, pick, services)


def _choice(item: Any, channel: Channel, serves: Mapping[str, frozenset[Channel]]) -> Choice:
    table = item if isinstance(item, Mapping) else {"name": item}
    for key in table:
        if key not in CHOICE_KEYS:
            raise _wrong(f"routes.senders.{key}", f"there are {', '.join(sorted(CHOICE_KEYS))}")
    name = str(table.get("name"))
    if channel not in serves.get(name, frozenset()):
        known = [sender for sender, channels in serves.items() if channel in channels]
        raise _wrong(
            "routes.senders",
            f"no sender {name} serves {channel.value}; there are {', '.join(known) or 'none'}",
        )
    weight, cost = table.get("weight", 1), table.get("cost", 0.0)
    if not isinstance(weight, int) or weight < 1 or not isinstance(cost, int | float) or cost < 0:
        raise _wrong("routes.senders", "a weight is a whole number above 0, a cost is 0 or more")
    return Choice(name, weight, float(cost))


def _default_routes(
    routes: Sequence[Route], serves: Mapping[str, frozenset[Channel]]
) -> list[Route]:
    """Give each channel that no route mentions every sender that serves it, as written."""
    missing = [channel for channel in Channel if all(r.channel is not channel for r in routes)]
    found = []
    for channel in missing:
        choices = tuple(Choice(name) for name, channels in serves.items() if channel in channels)
        if choices:
            found.append(Route(channel, choices))
    return found


def _channels(where: str, given: Any, known: frozenset[Channel] | None) -> frozenset[Channel]:
    if given is None:
        return known or frozenset()
    try:
        found = frozenset(Channel(item) for item in given)
    except ValueError as fault:
        raise _wrong(where, f"there are {', '.join(Channel)}") from fault
    if known is not None and not found <= known:
        raise _wrong(where, f"this type serves {', '.join(sorted(known))}")
    return found


def _list(tables: Table, name: str) -> list[Table]:
    found = tables.get(name, [])
    if not isinstance(found, list) or not all(isinstance(item, Mapping) for item in found):
        raise _wrong(name, f"write [[{name}]], once for each")
    return found


def _wrong(name: str, words: str) -> ConfigurationError:
    return ConfigurationError(f"{name}: {words}", name=name)
