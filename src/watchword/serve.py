"""`watchword serve`: the ASGI application behind uvicorn, with a few lines on where to go."""

import errno
import socket
import sys
from contextlib import suppress

import click
import uvicorn
from uvicorn.supervisors import Multiprocess

from watchword.clock import SystemClock
from watchword.config import Settings
from watchword.development.controls import FILE, Controls, Faults
from watchword.errors import ConfigurationError
from watchword.log_lines import logging_for
from watchword.protocol import Protocol
from watchword.runtime import open_engine, open_store
from watchword.senders.inbox import inbox_of
from watchword.store.purge import purge_daily, retention_of
from watchword.terminal import typed_as

BACKLOG = 2048
KEEP_ALIVE_SECONDS = 75  # load balancers keep an idle connection for 60: none is cut under them
GOODBYE_SECONDS = 20  # for the answers owed at a stop; supervisors wait for 30 and then kill
DOORS = 64  # a turn of 20 ms then lets in 3,200 connections a second
EXAMPLE = "+237650000000"
STARTUP_FAILURE = 3  # the exit code of uvicorn's own


class AddressTaken(ConfigurationError):
    """The address cannot be listened on."""


def run(settings: Settings, *, host: str, port: int, workers: int) -> None:
    """Serve until stopped; raise ConfigurationError before the start when it cannot be."""
    engine = open_engine(settings)  # the schema, the keys and the credentials, before any worker
    has_inbox = inbox_of(engine.sender) is not None
    engine.close()
    _check_address(host, port)
    _greet(settings, host, port, has_inbox=has_inbox)
    purge_daily(lambda: open_store(settings), retention_of(settings), SystemClock().now)
    serve_app(
        "watchword.asgi:from_environment",
        host,
        port,
        workers,
        settings.trusted_proxies,
        settings.log,
    )


def serve_app(
    factory: str,
    host: str,
    port: int,
    workers: int,
    proxies: tuple[str, ...] = (),
    log: str = "warning",
) -> None:
    """Serve what a factory makes as ours is served; benchmarks lay a fixed answer beside it."""
    config = uvicorn.Config(
        factory,
        factory=True,
        host=host,
        port=port,
        http=Protocol,
        workers=workers,
        backlog=BACKLOG,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=",".join(proxies),
        log_config=logging_for(log),
        log_level="warning",
        access_log=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GOODBYE_SECONDS,
        server_header=False,
    )
    sockets = doors(config.bind_socket(), workers)
    if workers > 1:
        Multiprocess(config, sockets=sockets).run()
        return
    server = uvicorn.Server(config)
    with suppress(KeyboardInterrupt):
        server.run(sockets=sockets)
    if not server.started:
        sys.exit(STARTUP_FAILURE)


def doors(listening: socket.socket, workers: int = 1) -> list[socket.socket]:
    """Return the socket as often as connections shall be let in per turn of the event loop.

    libuv accepts one a turn and socket. A turn holds a batch, so under load new connections would
    wait in the kernel for seconds, with neither an answer nor a 503; a health check among them.
    Of several workers none may take a whole burst: it would have it for as long as clients stay.
    """
    count = max(1, DOORS // workers**2)
    return [listening, *(listening.dup() for _ in range(count - 1))]


def _check_address(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as fault:
            if fault.errno == errno.EADDRINUSE:
                raise AddressTaken(
                    f"port {port} is taken; choose another: make run PORT={port + 1}, "
                    f"or watchword serve --port {port + 1}",
                    name="port",
                ) from fault
            raise AddressTaken(
                f"{host}:{port} cannot be listened on: {fault.strerror}", name="host"
            ) from fault


def _greet(settings: Settings, host: str, port: int, *, has_inbox: bool) -> None:
    here = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    lines = [f"watchword serves on {here}"]
    if not settings.production:
        watchword = typed_as()
        number = EXAMPLE if has_inbox else "NUMBER"  # a stranger may have the example's phone
        lines += [
            f"  try it in a browser     {here}/",
            *([f"  read what was sent      {here}/inbox"] if has_inbox else []),
            f"  try it in a terminal    {watchword} verify {number}",
            f"  credentials for an SDK  {watchword} credentials",
            f'  point an SDK at it      client.verify.base_url = "{here}"',
            f"  read about the API      {here}/docs",
            "  stop it                 Ctrl+C",
            *_switches(settings, here),
        ]
    click.echo("\n".join(lines), err=True)


def _switches(settings: Settings, here: str) -> list[str]:
    """Say what a test has left switched on: it holds until it is reset."""
    state = Controls(settings.home / FILE).read()
    lines = []
    if state.offset:
        lines.append(
            f"the clock is {state.offset} ahead; reset it: curl -X DELETE {here}/dev/clock"
        )
    if state.faults != Faults():
        lines.append(f"faults are switched on; reset them: curl -X DELETE {here}/dev/faults")
    return lines
