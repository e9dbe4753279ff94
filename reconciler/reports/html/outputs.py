"""The outputs of a run in the HTML report. A URL is text, not a link, because the account chooses it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reconciler.reports.html.cards import escape
from reconciler.reports.run.outputs import NO_URL, EndpointOutput


def outputs_list(outputs: Iterable[EndpointOutput]) -> str:
    """Return the name and the URL of each endpoint; "" if there is none."""
    rows = "".join(f"<dt>{escape(output.name)}{''.join(_facts(output))}" for output in outputs)
    return f'<dl class="outputs">{rows}</dl>\n' if rows else ""


def _facts(output: EndpointOutput) -> Iterator[str]:
    yield f"<dd><code>{escape(output.url)}</code>" if output.url else f"<dd>{NO_URL}"
    if output.replaced_id:
        old, new = escape(output.replaced_id), escape(output.id)
        yield f"<dd>replaced: the ID was <code>{old}</code> and is <code>{new}</code>"
