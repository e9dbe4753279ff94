"""What MkDocs does for this site beyond its configuration.

Pages come from the root of the repository too, links out of docs/ lead somewhere, and a folder is a group.
"""

from __future__ import annotations

import os
import posixpath
import re
import tomllib
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent
REPOSITORY: str = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"][
    "Homepage"
]

FROM_ROOT = {
    "overview.md": "README.md",
    "changelog.md": "CHANGELOG.md",
    "contributing.md": "CONTRIBUTING.md",
    "reporting.md": "SECURITY.md",
}
"""The page of the site for each page in the root of the repository."""

LINK = re.compile(r"(\]\()(?![a-z]+:|#|/)([^)\s#]+)(#[^)\s]*)?(?=[)\s])")
FENCE = re.compile(r"^ *(```|~~~)")
CELL = re.compile(r"<td.*?</td>", re.DOTALL)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Name the addresses of the site and of the repository; list the pages of folders in the navigation."""
    owner, name = REPOSITORY.removeprefix("https://github.com/").split("/")
    config.site_url = f"https://{owner}.github.io/{name}/"
    config.extra["social"] = [{"icon": "fontawesome/brands/github", "link": REPOSITORY, "name": "Repository"}]
    config.nav = expanded(config.nav or [], Path(config.docs_dir))
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages from the root of the repository; leave out what only the wheel needs."""
    for page, source in FROM_ROOT.items():
        files.append(File.generated(config, page, abs_src_path=str(ROOT / source)))
    files.remove(files.src_uris["reconciler.1"])
    return files


def on_page_markdown(markdown: str, page: Page, files: Files, **_: object) -> str:
    """Return the text with links that lead to pages of the site, or to files of the repository."""
    return rewritten(markdown, page.file.src_uri, set(files.src_uris))


def on_page_content(html: str, **_: object) -> str:
    """Return the HTML of a page with `|` for the `\\|` that GitHub's Markdown needs in a table."""
    return CELL.sub(lambda cell: cell[0].replace(r"\|", "|"), html)


def expanded(nav: list[Any], docs: Path) -> list[Any]:
    """Return the navigation with the pages of a folder, in the order of their names, instead of `folder/`."""
    made: list[Any] = []
    for entry in nav:
        if isinstance(entry, dict):
            made += [
                {title: expanded(inner, docs) if isinstance(inner, list) else inner}
                for title, inner in entry.items()
            ]
        elif entry.endswith("/"):
            pages = sorted(
                (docs / entry).glob("*.md"),
                key=lambda path: (path.stem not in {"README", "index"}, path.name),
            )
            made += [entry + path.name for path in pages]
        else:
            made.append(entry)
    return made


def rewritten(markdown: str, page: str, pages: set[str]) -> str:
    """Return the text of a page with links for the site instead of those between files of the repository.

    A link to nothing is left alone: the strict build reports it.
    """
    home = posixpath.dirname(FROM_ROOT.get(page, f"docs/{page}"))
    lines, fence = [], ""
    for line in markdown.split("\n"):
        if found := FENCE.match(line):
            fence = "" if fence == found[1] else fence or found[1]
        elif not fence:
            line = LINK.sub(lambda link: link[1] + target(home, link[2], page, pages) + (link[3] or ""), line)
        lines.append(line)
    return "\n".join(lines)


def target(home: str, link: str, page: str, pages: set[str]) -> str:
    """Return the place, on the site or in the repository, of a link in a page of the folder `home`."""
    path = posixpath.normpath(posixpath.join(home, link))
    sources = {source: name for name, source in FROM_ROOT.items()}
    names = [sources.get(path, "")] + [
        posixpath.normpath(posixpath.relpath(path, "docs") + end) for end in ("", "/README.md", "/index.md")
    ]
    for name in names:
        if name in pages:
            return posixpath.relpath(name, posixpath.dirname(page) or ".")
    if (ROOT / path).exists() and not path.startswith(os.pardir):
        return f"{REPOSITORY}/{'tree' if (ROOT / path).is_dir() else 'blob'}/main/{path}"
    return link
