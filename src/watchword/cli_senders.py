"""`watchword senders` and `watchword send-test`: what is configured, and does it really send."""

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from watchword.terminal import (
    MISCONFIGURED,
    TRY_LATER,
    UNAVAILABLE,
    explained,
    fail,
    print_json,
    settings_now,
)

if TYPE_CHECKING:
    from watchword.senders.base import Message, Receipt, Sender
    from watchword.senders.dispatch import Dispatch, Health
    from watchword.texts.write import Text

SAMPLE_CODE = "123456"


@click.command()
@click.option("--types", is_flag=True, help="List the types there are, and their options.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@explained
def senders(types: bool, as_json: bool) -> None:
    """Show the configured senders, whether each provider can be reached, and how each is doing.

    Nothing is sent. What running workers of this machine have sent is counted since they started.
    """
    if types:
        _print_types(as_json=as_json)
        return
    from asyncio import run

    from msgspec import to_builtins

    from watchword.senders.reach import reach

    dispatch = _dispatch()
    sample = _message("sms", "+237650000000", "en")[0]
    found: list[dict[str, Any]] = []
    doing = _doing()
    for name, lane in dispatch.lanes.items():
        result = run(reach(lane.sender, sample))
        channels = sorted(
            {
                route.channel.value
                for route in dispatch.routes
                for c in route.choices
                if c.sender == name
            }
        )
        told = {"name": name, "channels": channels} | asdict(result)
        found.append(told | {"workers": [to_builtins(each) for each in doing.get(name, ())]})
    if as_json:
        print_json(found)
    else:
        for line in found:
            served = ", ".join(line["channels"]) or "no route"
            mark = "ok  " if line["ok"] else "FAIL"
            click.echo(f"{mark}  {line['name']} ({served}): {line['address']} {line['found']}")
            if healths := doing.get(line["name"]):
                click.echo(f"      {_summed(healths)}")
    if not all(line["ok"] for line in found):
        sys.exit(UNAVAILABLE)


@click.command(name="send-test")
@click.option("--to", required=True, help="The number, or the address, to send to.")
@click.option("--channel", default="sms", show_default=True, help="sms, call, whatsapp or email.")
@click.option("--sender", "name", help="One sender by name; else the route's.")
@click.option("--locale", help="The message's language; else the country's.")
@explained
def send_test(to: str, channel: str, name: str | None, locale: str | None) -> None:
    """Send one message with a sample code for real, and say what happens at each step.

    The code verifies nothing. Exits with 0 when the provider took it, 69 when it did not, 75 when
    nobody can say.
    """
    from asyncio import run

    from watchword.model import Channel, Delivery
    from watchword.senders.base import WORDS
    from watchword.texts.languages import find_language
    from watchword.texts.segments import measure

    if channel not in set(Channel):
        fail(f"there is no channel {channel}; there are {', '.join(Channel)}", 2)
    if locale and find_language(locale) is None:
        fail(f"there is no language {locale}; see: watchword templates list", 2)
    dispatch = _dispatch()
    message, text = _message(channel, to, locale)
    sender = _chosen(dispatch, name, message)
    size = measure(message.body)
    click.echo(f"1 text     {text.language.tag}, {size.encoding}, {size.segments} segment(s)")
    click.echo(f"2 sender   {sender.name}")
    receipt = run(_send(sender, message))
    click.echo(f"3 answer   {receipt.status.value}{_details(receipt)}")
    if receipt.status is Delivery.SENT:
        click.echo("the provider took it; look at the phone")
        return
    if receipt.trouble is not None:
        click.echo(WORDS[receipt.trouble], err=True)
    elif receipt.reason:
        click.echo(receipt.reason, err=True)
    sys.exit(TRY_LATER if receipt.status is Delivery.UNKNOWN else UNAVAILABLE)


def _doing() -> "dict[str, list[Health]]":
    """Return what the running workers of this machine say of each sender."""
    from watchword.board import Board
    from watchword.runtime import BOARD

    found: dict[str, list[Health]] = {}
    for worker in Board(settings_now().home / BOARD).read():
        for health in worker.senders:
            found.setdefault(health.name, []).append(health)
    return found


def _summed(healths: "list[Health]") -> str:
    """Say in one line how a sender is doing in all workers."""
    sent, failed, unknown = (
        sum(getattr(each, name) for each in healths) for name in ("sent", "failed", "unknown")
    )
    taken = sum(each.took.sum for each in healths)
    count = sum(each.count for each in healths)
    words = f"{sent} sent, {failed} failed, {unknown} unclear"
    if count:
        words += f", {taken / count:.2f} s on average"
    resting = sum(each.rests for each in healths)
    if resting:
        trouble = next((each.trouble for each in healths if each.trouble), "faults")
        words += f"; rests in {resting} of {len(healths)} workers ({trouble})"
    return words


def _served(dispatch: "Dispatch", name: str) -> list[str]:
    routes = (r for r in dispatch.routes if any(choice.sender == name for choice in r.choices))
    return sorted({route.channel.value for route in routes})


async def _send(sender: "Sender", message: "Message") -> "Receipt":
    from asyncio import sleep

    receipt = await sender.send(message)
    sender.close()
    await sleep(0)  # the turn in which its connections close
    return receipt


def _details(receipt: "Receipt") -> str:
    found = [
        f", id {receipt.message_id}" if receipt.message_id else "",
        f", by {receipt.sender}" if receipt.sender else "",
        f", price {receipt.price} {receipt.currency or ''}".rstrip() if receipt.price else "",
        f", error {receipt.error_code}" if receipt.error_code else "",
        f", in its words: {receipt.detail}" if receipt.detail else "",
    ]
    return "".join(found)


def _dispatch() -> "Dispatch":
    from watchword.runtime import open_sender
    from watchword.senders.dispatch import Dispatch

    settings = settings_now()
    sender = open_sender(settings)
    if not isinstance(sender, Dispatch):
        sender.close()
        fail(
            f"there are no [[senders]] in {settings.config_file}; messages go to the {sender.name}",
            MISCONFIGURED,
        )
    return sender


def _chosen(dispatch: "Dispatch", name: str | None, message: "Message") -> "Sender":
    if name is None:
        return dispatch
    if name not in dispatch.lanes:
        fail(f"there is no sender {name}; there are {', '.join(dispatch.lanes)}", MISCONFIGURED)
    sender = dispatch.lanes[name].sender
    if message.channel.value not in _served(dispatch, name):
        fail(f"{name} does not serve {message.channel.value}", MISCONFIGURED)
    return sender


def _message(channel: str, to: str, locale: str | None) -> "tuple[Message, Text]":
    from watchword.clock import SystemClock
    from watchword.mailbox import parse_address
    from watchword.model import Channel, Wording
    from watchword.runtime import open_texts
    from watchword.senders.base import Message
    from watchword.sids import new_sid
    from watchword.texts.write import Occasion

    settings = settings_now()
    address = parse_address(to)
    occasion = Occasion(settings.friendly_name, SAMPLE_CODE, address.country, ttl_minutes=10)
    text = open_texts(settings).write(occasion, Wording(locale=locale))
    message = Message(
        new_sid("VL"),
        address.to,
        Channel(channel),
        text.body if channel == Channel.SMS else text.plain,
        SAMPLE_CODE,
        settings.friendly_name,
        SystemClock().now(),
        address.country,
        text,
    )
    return message, text


def _print_types(*, as_json: bool) -> None:
    from watchword.senders.kinds import KINDS

    kinds = {name: (kind, kind.load()) for name, kind in KINDS.items()}
    if as_json:
        print_json(
            {name: [asdict(option) for option in cls.OPTIONS] for name, (_, cls) in kinds.items()}
        )
        return
    for name, (kind, cls) in kinds.items():
        click.echo(f"{name}: {kind.help} ({', '.join(sorted(cls.CHANNELS))})")
        for option in cls.OPTIONS:
            key = f"{option.name}_env" if option.secret else option.name
            needed = "needed" if option.default is None else option.default or "optional"
            click.echo(f"  {key:24} {option.help} [{needed}]")
