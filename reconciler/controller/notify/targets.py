"""The targets of notifications. Their URLs are secrets, so they are read from the environment only."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from enum import StrEnum
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from reconciler.model.errors import InvalidConfig
from reconciler.model.hosts import host_error
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Problem

NOTIFY: Final = "RECONCILER_NOTIFY"
"""The variable with the URLs, separated by white space."""

_NAME: Final = re.compile(rf"{NOTIFY}(_\w+)?", re.ASCII)

_SLACK_HOSTS: Final = ("hooks.slack.com", "hooks.slack-gov.com")


class Format(StrEnum):
    """The form of a notification: our JSON, JSON as Slack takes it, or whatever apprise makes of a text."""

    JSON = "json"
    SLACK = "slack"
    APPRISE = "apprise"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Target:
    """One target. name: what messages call it, without its URL."""

    name: str
    format: Format
    url: str = field(compare=False)

    def __repr__(self) -> str:
        return f"Target({self.name!r}, {self.format.value!r})"

    @property
    def parts(self) -> SplitResult:
        """Return the URL in parts, for JSON and SLACK."""
        return urlsplit(self.url)

    @property
    def login(self) -> str:
        """Return `user:password` of the URL, decoded, or ""."""
        login, at, _ = self.parts.netloc.rpartition("@")
        return unquote(login) if at else ""


def read_targets(names: Sequence[str], environ: Mapping[str, str]) -> tuple[Target, ...]:
    """Return the targets of RECONCILER_NOTIFY, if it is set, and of these other variables.

    Raise InvalidConfig, whose problems quote no URL.
    """
    problems: list[Problem] = []
    targets: list[Target] = []
    for name in dict.fromkeys((NOTIFY, *names)):
        if not _NAME.fullmatch(name):
            problems.append(_bad_name(name))
        elif environ.get(name, "").strip():
            targets += _targets(name, environ[name].split(), problems)
        elif name in names:
            problems.append(
                Problem(code="notify", summary=f"the variable {name} is not set", hint=f"export {name}=URL")
            )
    if problems:
        raise InvalidConfig(*problems)
    return tuple(targets)


def _targets(name: str, urls: Sequence[str], problems: list[Problem]) -> Iterator[Target]:
    for number, url in enumerate(urls, start=1):
        shown = name if len(urls) == 1 else f"{name} (URL {number})"
        form, plain_url = _format(url)
        if form is not Format.APPRISE and (error := _url_error(plain_url)):
            problems.append(
                Problem(
                    code="notify",
                    summary=f"{shown} is not usable: {error}",
                    hint="write https://HOST/PATH, or slack+https://HOST/PATH for a chat that takes the JSON"
                    " of Slack, such as Mattermost",
                )
            )
        else:
            yield Target(name=shown, format=form, url=plain_url)


def _format(url: str) -> tuple[Format, str]:
    """Return the format of a target, and its URL without a prefix that chooses the format."""
    scheme, colon, rest = url.partition("://")
    prefix, plus, inner = scheme.lower().rpartition("+")
    if inner in ("http", "https") and prefix in ("", Format.JSON, Format.SLACK):
        url = f"{inner}{colon}{rest}"
        if plus:
            return Format(prefix), url
        host = rest.partition("/")[0].rpartition("@")[2].lower()
        return (Format.SLACK if host in _SLACK_HOSTS else Format.JSON), url
    return (Format.APPRISE if colon else Format.JSON), url


def _url_error(url: str) -> str:
    try:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or parts.port == 0:
            return "it is not a URL"
    except ValueError:
        return "it is not a URL"
    if not url.isascii() or not url.isprintable():
        return "it has characters that must be percent-encoded"
    error = host_error(parts.hostname or "")
    return f"its host {error}" if error else ""


def _bad_name(name: str) -> Problem:
    if "://" in name:
        return Problem(
            code="notify",
            summary="--notify takes the name of a variable, because others can read a command line",
            hint=f"export {NOTIFY}_TEAM=URL   and run it with --notify {NOTIFY}_TEAM",
        )
    return Problem(
        code="notify",
        summary=f"--notify takes a variable whose name begins with {NOTIFY}; references of the files cannot"
        " read those",
        hint=f"export {NOTIFY}_TEAM=URL   and run it with --notify {NOTIFY}_TEAM",
    )
