"""The inbox at `/inbox`: every number is a phone on the screen. Development only."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from watchword.commands.deliveries import LookAtDeliveries
from watchword.engine import Engine
from watchword.errors import InvalidParameter, StoreError
from watchword.mailbox import parse_address
from watchword.senders.inbox import InboxMessage, InboxSender
from watchword.ui.controls import controls_of, faults_from
from watchword.ui.controls import shown as shown_controls
from watchword.ui.live import Live
from watchword.ui.look import PAGE_HEADERS, is_same_origin, render
from watchword.ui.phones import Phone, Thread, phones_of, threads_of
from watchword.ui.qr import address_for_phones, qr_svg

MOST_PHONES = 4  # side by side; more of them would be too narrow to read
FIRST_PHONES = 3
LONGEST_TURN = 366 * 24 * 3600  # seconds


class InboxPage:
    """Show what the inbox sender delivered, live."""

    def __init__(self, engine: Engine, inbox: InboxSender) -> None:
        self._engine = engine
        self._inbox = inbox
        self._controls = controls_of(engine)
        self._live = Live(self._newest)

    def routes(self) -> list[Route]:
        """Return the page's routes."""
        return [
            Route("/inbox", self.show),
            Route("/inbox/events", self.events),
            Route("/inbox/clear", self.clear, methods=["POST"]),
            Route("/inbox/clock", self.turn, methods=["POST"]),
            Route("/inbox/faults", self.break_things, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """Show the threads, and the phones that are chosen or were written to last."""
        messages = await asyncio.to_thread(self._inbox.messages)
        search = request.query_params.get("q", "").strip()
        chosen, fault = _chosen(request.query_params.getlist("to"))
        found = [message for message in messages if _matches(message, search)]
        threads = threads_of(found)
        shown = chosen or [thread.number for thread in threads[:FIRST_PHONES]]
        return render(
            "inbox.html",
            status=422 if fault else 200,
            threads=[_linked(thread, chosen, search) for thread in threads],
            phones=await self._phones(found, shown, request, search),
            total=len(messages),
            search=search,
            chosen=chosen,
            fault=fault,
            now=self._engine.clock.now(),
            controls=shown_controls(self._controls) if self._controls else None,
        )

    async def events(self, request: Request) -> Response:
        """Tell the page whenever a message arrives."""
        return self._live.respond(request)

    async def clear(self, request: Request) -> Response:
        """Forget every message."""
        if is_same_origin(request):
            self._inbox.clear()
        return RedirectResponse("/inbox", status_code=303, headers=PAGE_HEADERS)

    async def turn(self, request: Request) -> Response:
        """Turn the clock on, or let it tell the real time again."""
        seconds = str((await request.form()).get("seconds", ""))
        if is_same_origin(request) and self._controls and seconds.isdecimal():
            if seconds == "0":
                self._controls.reset_clock()
            else:
                self._controls.turn_clock(timedelta(seconds=min(int(seconds), LONGEST_TURN)))
        return RedirectResponse("/inbox", status_code=303, headers=PAGE_HEADERS)

    async def break_things(self, request: Request) -> Response:
        """Switch faults on and off."""
        form = await request.form()
        if is_same_origin(request) and self._controls:
            self._controls.set_faults(faults_from(form, self._controls.read().faults))
        return RedirectResponse("/inbox", status_code=303, headers=PAGE_HEADERS)

    async def _phones(
        self, messages: Sequence[InboxMessage], shown: list[str], request: Request, search: str
    ) -> list[dict[str, Any]]:
        sids = tuple({m.attempt_sid.removesuffix("-again") for m in messages if m.to in shown})
        try:
            deliveries = await self._engine.submit(LookAtDeliveries(sids))
        except StoreError:
            deliveries = {}  # the inbox has a file of its own, and shows what is in it
        phones = phones_of(messages, shown, deliveries)
        return [_framed(phone, shown, request, search) for phone in phones]

    def _newest(self) -> object:
        try:
            newest = self._inbox.messages(limit=1)
        except StoreError:
            return None
        return newest[0].id if newest else 0


def _chosen(numbers: list[str]) -> tuple[list[str], str]:
    """Return the numbers to show, each once, and what is wrong with the last one typed."""
    chosen: list[str] = []
    for number in numbers:
        if not number.strip():
            continue
        try:
            to = parse_address(number).to
        except InvalidParameter as refusal:
            return chosen[-MOST_PHONES:], str(refusal)
        if to not in chosen:
            chosen.append(to)
    return chosen[-MOST_PHONES:], ""


def _matches(message: InboxMessage, search: str) -> bool:
    words = search.lower().split()
    text = f"{message.to} {message.body} {message.code} {message.channel}".lower()
    return all(word in text for word in words)


def _linked(thread: Thread, chosen: list[str], search: str) -> dict[str, Any]:
    """Lay a link over a thread: it adds the phone to those on the screen."""
    others = [number for number in chosen if number != thread.number]
    return {
        "thread": thread,
        "shown": thread.number in chosen,
        "url": _url([*others, thread.number][-MOST_PHONES:], search),
    }


def _framed(phone: Phone, shown: list[str], request: Request, search: str) -> dict[str, Any]:
    address, reachable = address_for_phones(request)
    target = f"{address}/inbox?{urlencode({'to': phone.number})}"
    return {
        "phone": phone,
        "close": _url([number for number in shown if number != phone.number], search),
        "alone": _url([phone.number], search),
        "qr": qr_svg(target),
        "qr_url": target,
        "reachable": reachable,
    }


def _url(numbers: list[str], search: str) -> str:
    pairs = [("to", number) for number in numbers] + ([("q", search)] if search else [])
    return f"/inbox?{urlencode(pairs)}" if pairs else "/inbox"
