"""The command `reconciler simulator`."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import click

from reconciler.cli.options import Command
from reconciler.workflow.runtime.stop_signals import on_stop_signal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.simulator import Received, Server


@click.command(cls=Command)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8123,
    help="Port to listen on; 0 chooses a free port. (default: 8123)",
)
@click.option(
    "--state",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Keep the simulated account in this file. It contains env values in clear and is readable by its"
    " owner only.",
)
@click.option(
    "--latency",
    type=click.FloatRange(min=0),
    metavar="MS",
    help="Delay every response by this many milliseconds.",
)
@click.option(
    "--seed", type=int, default=0, metavar="N", help="Seed for IDs, ordering and random faults. (default: 0)"
)
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="SPEC",
    help="Inject a fault: OPERATION:KIND_OR_STATUS[:TIMES], such as create:429:2, update:lost_answer or"
    " list:503:always.",
)
@click.option(
    "--fault-rate",
    type=click.FloatRange(0, 1),
    default=0.0,
    metavar="RATE",
    help="Let this fraction of the requests fail at random. (default: 0)",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="Set a switch of the simulator's behaviour; --switches lists the switches.",
)
@click.option("--switches", is_flag=True, help="List the switches with their defaults and exit.")
@click.option("--quiet", is_flag=True, help="Do not log requests.")
def simulator(
    port: int,
    state: Path | None,
    latency: float | None,
    seed: int,
    faults: tuple[str, ...],
    fault_rate: float,
    settings: tuple[str, ...],
    switches: bool,
    quiet: bool,
) -> None:
    """Run a simulated Novita API on 127.0.0.1 until Ctrl-C.

    The simulator behaves like the real API as far as it is known, without GPUs and at no cost. Each request
    is logged to stderr: method, path, status (- if none was sent) and duration in milliseconds.
    """
    from reconciler.simulator.profile import describe, profile_from

    if switches:
        click.echo(describe())
        return

    from reconciler.model.command import command_line
    from reconciler.simulator import Server, parse_fault

    try:
        profile = profile_from(
            settings if latency is None else (*settings, f"latency_seconds={latency / 1000}")
        )
    except ValueError as problem:
        raise click.BadParameter(str(problem), param_hint="--set") from None
    try:
        scripted = [parse_fault(text) for text in faults]
    except ValueError as problem:
        raise click.BadParameter(str(problem), param_hint="--fault") from None

    server = Server(profile=profile, seed=seed, state=state, port=port, on_answer=None if quiet else _log)
    for fault in scripted:
        server.faults.add(fault)
    server.faults.at_random(seed=seed, rate=fault_rate)
    stop = Event()
    # the handler is installed before the server starts
    with on_stop_signal(lambda *_: stop.set()), _started(server, port):
        click.echo(f"Simulated Novita API on {server.url}, until Ctrl-C. In another terminal, run:")
        for variable, value in (("BASE_URL", server.url), ("API_KEY", profile.api_key or "any")):
            click.echo(f"  {command_line('export', f'NOVITA_{variable}={value}')}")
        stop.wait()


@contextmanager
def _started(server: Server, port: int) -> Iterator[None]:
    """Run the server; an error at its start becomes a message of one line."""
    try:
        server.start()
    except OSError as problem:
        reason = problem.strerror or str(problem)
        if problem.filename:
            raise click.ClickException(f"{problem.filename}: {reason}.") from None
        raise click.ClickException(
            f"cannot listen on 127.0.0.1:{port}: {reason}. Try another port: --port {port + 1}, or --port 0."
        ) from None
    except ValueError as problem:
        raise click.ClickException(f"{problem}. Move the file away, or use another --state.") from None
    try:
        yield
    finally:
        server.stop()


def _log(received: Received, seconds: float) -> None:
    fault = f" [{received.fault}]" if received.fault else ""
    click.echo(
        f"{received.method} {received.path} {received.status or '-'} {seconds * 1000:.1f} ms{fault}", err=True
    )
