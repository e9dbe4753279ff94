"""Mermaid diagrams as SVG in the page.

They are drawn while the site is built. The browser would need a script of 3 MB from another host.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

import mmdr

SMALLEST = 0.7
"""How far a diagram shrinks on a phone, in parts of its width; below that its text is too small to read."""


def drawing(source: str, *_: Any, **__: Any) -> str:
    """Return the HTML of a diagram. Its identifiers are its own, so that a page can have several."""
    name = "diagram-" + hashlib.sha256(source.encode()).hexdigest()[:8]
    svg = mmdr.render(source, backend="merman").svg().replace("merman", name)
    wide = re.search(r"max-width:([\d.]+)px", svg)
    assert wide, svg[:200]
    svg = svg.replace(wide[0], f"{wide[0]};min-width:{float(wide[1]) * SMALLEST:.0f}px", 1)
    return f'<div class="diagram" tabindex="0">{svg}</div>'
