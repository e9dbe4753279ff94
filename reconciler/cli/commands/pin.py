"""The command `reconciler pin`."""

from __future__ import annotations

import click

from reconciler.cli.options import Command, Run, with_run
from reconciler.cli.shell_completion import complete_endpoints
from reconciler.model.problem import limit_problems


@click.command(cls=Command)
@click.argument("names", metavar="[NAME]...", nargs=-1, shell_complete=complete_endpoints)
@click.option("--update", is_flag=True, help="Also write the new digest of tags that have moved.")
@click.option("--check", is_flag=True, help="Write nothing, and exit with 2 if an image is not pinned.")
@click.option("--no-tag", is_flag=True, help="Write only the digest, without the tag before it.")
@with_run
def pin(run: Run, names: tuple[str, ...], update: bool, check: bool, no_tag: bool) -> int:
    """Write the digests of image tags into the YAML files.

    A tag may mean another image tomorrow, a digest never does. pin asks the registry of each image without a
    digest, and keeps the comments and the order of the files. Images with a digest stay as they are, unless
    --update is given. --check alone asks no registry. A private registry is asked with the credential of
    `docker login`. An image from a reference is not overwritten. The exit code is 1 if an image could not be
    pinned.
    """
    if check and no_tag:
        raise click.UsageError("--no-tag writes, and --check does not")
    from reconciler.reports.views.file_diff import diff_text
    from reconciler.reports.views.pins import pin_lines, pin_list
    from reconciler.workflow.images.pin import pin as pin_images

    result = pin_images(run.context, names, update=update, check=check, tag=not no_tag)
    if run.out.as_json:
        run.out.document(
            {
                "images": pin_list(result.pins),
                "files": [file.shown for file in result.files],
                "problems": [problem.to_dict() for problem in limit_problems(result.problems)],
                "exit_code": int(result.exit_code),
            }
        )
        return result.exit_code
    for file in result.files:
        run.out.result(diff_text(file.shown, file.before, file.after, run.out.style))
    for line in pin_lines(result.pins, is_check=check):
        run.out.line(line)
    if result.problems:
        run.out.tell("\n")
        run.out.problems(result.problems)
    return result.exit_code
