"""`reconciler pvcs`"""

from __future__ import annotations

import click

from reconciler.cli.options import Run, shared


@click.command()
@shared
def pvcs(run: Run) -> int:
    """Volume claims: not offered by Novita's API; says where to look instead."""
    from reconciler.sdk.unsupported import no_pvcs

    del run
    raise no_pvcs()
