"""Mermaid diagrams as SVG in the page.

They are drawn while the site is built. The browser would need a script of 3 MB from another host.
"""

from __future__ import annotations

import hashlib
from typing import Any

import mmdr


def drawing(source: str, *_: Any, **__: Any) -> str:
    """Return the HTML of a diagram. Its identifiers are its own, so that a page can have several."""
    name = "diagram-" + hashlib.sha256(source.encode()).hexdigest()[:8]
    svg = mmdr.render(source, backend="merman").svg().replace("merman", name)
    return f'<div class="diagram" tabindex="0">{svg}</div>'
