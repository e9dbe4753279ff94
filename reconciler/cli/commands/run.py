"""The command `reconciler run`."""

from __future__ import annotations

from dataclasses import replace

import click

from reconciler.cli.options import Command, Run, duration_seconds, parallelism, with_run
from reconciler.cli.run.address import allowed_hosts_option, listen_address


@click.command(cls=Command)
@click.option(
    "--git",
    "git_url",
    metavar="URL",
    help="Read the files from a git repository: https://, ssh://, git@HOST:PATH, or a folder.",
)
@click.option("--ref", metavar="REF", help="Follow this branch or tag. (default: the default branch)")
@click.option("--path", metavar="DIR", help="Read this folder of the repository. (default: the top)")
@click.option(
    "--poll",
    type=duration_seconds,
    default="60s",
    metavar="DURATION",
    help="Look for new files this often. (default: 60s)",
)
@click.option(
    "--interval",
    type=duration_seconds,
    default="10m",
    metavar="DURATION",
    help="Compare the account with the files at least this often. (default: 10m)",
)
@click.option(
    "--notify",
    "notify",
    multiple=True,
    metavar="VARIABLE",
    help="Tell events to the URLs in this variable too, beside RECONCILER_NOTIFY. (repeatable)",
)
@click.option("--all-environments", is_flag=True, help="Reconcile all environments of config.yaml.")
@click.option(
    "--listen",
    callback=listen_address,
    metavar="HOST:PORT",
    help="Serve the page, the API, health and metrics there, such as on 127.0.0.1:8090.",
)
@click.option(
    "--hook-secret-env",
    "hook",
    metavar="VARIABLE",
    help="Reconcile at once when a git server calls POST /hook with the secret in this variable.",
)
@allowed_hosts_option
@click.option("--once", is_flag=True, help="Run until nothing is left to be done now, and exit.")
@parallelism
@with_run
def run(
    run: Run,
    git_url: str | None,
    ref: str | None,
    path: str | None,
    poll: float,
    interval: float,
    once: bool,
    notify: tuple[str, ...],
    listen: tuple[str, int] | None,
    hook: str | None,
    allowed_hosts: tuple[str, ...],
    all_environments: bool,
    parallelism: int,
) -> int:
    """Reconcile until SIGTERM or Ctrl-C: plan on time and on change, and apply what the policy allows.

    `sync` in config.yaml and on endpoints is the policy. Without it changes wait for an approval, and drift
    is only reported. Any number of processes may run for one inventory; one of them acts.
    """
    if not run.context.selection.is_everything:
        raise click.UsageError("run reconciles all endpoints: --target and --exclude cannot be used")
    if git_url is None and (ref or path):
        raise click.UsageError("--ref and --path belong to --git URL")
    if git_url is not None and "directory" in run.context.explicit_options:
        raise click.UsageError("-C names a folder of this machine: use --path with --git")
    if listen is None and (hook or allowed_hosts):
        raise click.UsageError("--hook-secret-env and --allowed-host belong to --listen HOST:PORT")
    if listen is not None and once:
        raise click.UsageError("--listen serves until the end: it does not go with --once")
    from reconciler.cli.run.flow import contexts_of, run_controller
    from reconciler.cli.run.page_server import ListenOptions
    from reconciler.controller.git.address import GitAddress

    address = None if git_url is None else GitAddress.parse(git_url, ref or "", path or "")
    chosen = click.get_current_context().obj.get("environment", ())
    context = replace(run.context, parallelism=parallelism)
    contexts = contexts_of(context, address, chosen, all_environments=all_environments)
    served = (
        ListenOptions(host=listen[0], port=listen[1], hook=hook or "", allowed_hosts=allowed_hosts)
        if listen
        else None
    )
    return run_controller(
        run.out,
        contexts,
        address,
        poll=poll,
        interval=interval,
        is_once=once,
        notify=notify,
        listen=served,
    )
