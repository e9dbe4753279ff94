"""The URLs of targets come from the environment, and no message has one."""

from __future__ import annotations

import pytest

from reconciler.config.references.policy import variable_refusal
from reconciler.controller.notify.targets import Format, Target, read_targets
from reconciler.model.errors import InvalidConfig

SLACK = "https://hooks.slack.com/services/T0/B0/THE-SECRET"
CHAT = "https://chat.example.com/hooks/THE-SECRET"


def read(text: str, *names: str, **more: str) -> tuple[Target, ...]:
    return read_targets(names, {"RECONCILER_NOTIFY": text, **more})


@pytest.mark.parametrize(
    ("url", "form", "plain"),
    [
        (SLACK, Format.SLACK, SLACK),
        (CHAT, Format.JSON, CHAT),
        (f"slack+{CHAT}", Format.SLACK, CHAT),
        (f"SLACK+{CHAT}", Format.SLACK, CHAT),
        (f"json+{SLACK}", Format.JSON, SLACK),
        ("http://127.0.0.1:9/x", Format.JSON, "http://127.0.0.1:9/x"),
        ("http://hooks.slack.com@127.0.0.1/x", Format.JSON, "http://hooks.slack.com@127.0.0.1/x"),
        ("tgram://bot/chat", Format.APPRISE, "tgram://bot/chat"),
        ("mailto://me:word@example.com", Format.APPRISE, "mailto://me:word@example.com"),
    ],
)
def test_the_url_chooses_the_format(url: str, form: Format, plain: str) -> None:
    (target,) = read(url)
    assert (target.format, target.url, target.name) == (form, plain, "RECONCILER_NOTIFY")
    assert "SECRET" not in f"{target!r} {target}"


def test_each_variable_may_have_several_targets() -> None:
    found = read(f" {SLACK}\n{CHAT} ", "RECONCILER_NOTIFY_OPS", RECONCILER_NOTIFY_OPS=CHAT)
    assert [target.name for target in found] == [
        "RECONCILER_NOTIFY (URL 1)", "RECONCILER_NOTIFY (URL 2)", "RECONCILER_NOTIFY_OPS",
    ]  # fmt: skip


def test_without_a_variable_nobody_is_told() -> None:
    assert read_targets([], {}) == read("  ") == ()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("THE-SECRET", "is not a URL"),
        ("https://", "its host"),
        ("https://THE-SECRET..example.com/", "its host has an empty part"),
        ("https://host:99999/THE-SECRET", "is not a URL"),
        ("https://host:0/THE-SECRET", "is not a URL"),
        ("https://[THE-SECRET", "is not a URL"),
        ("https://example.com/THE-SECRÉT", "percent-encoded"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused_without_showing_it(url: str, says: str) -> None:
    with pytest.raises(InvalidConfig) as caught:
        read(f"{CHAT} {url}")
    (problem,) = caught.value.problems
    assert says in problem.summary
    assert problem.summary.startswith("RECONCILER_NOTIFY (URL 2)")
    assert "THE-SECR" not in f"{problem} {caught.value}"


def test_a_url_on_the_command_line_is_refused_without_showing_it() -> None:
    with pytest.raises(InvalidConfig) as caught:
        read("", SLACK, "OPS_URL", "RECONCILER_NOTIFY_OPS", OPS_URL=SLACK)
    url, name, unset = caught.value.problems
    assert "others can read a command line" in url.summary
    assert "references of the files cannot read those" in name.summary
    assert (unset.summary, unset.hint) == (
        "the variable RECONCILER_NOTIFY_OPS is not set", "export RECONCILER_NOTIFY_OPS=URL",
    )  # fmt: skip
    assert "THE-SECRET" not in str([url, name, unset])


@pytest.mark.parametrize(
    "name",
    [
        "RECONCILER_NOTIFY",
        "RECONCILER_NOTIFY_OPS",
        "OTEL_EXPORTER_OTLP_HEADERS",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
    ],
)
def test_no_reference_of_a_file_reads_such_a_variable(name: str) -> None:
    """The author of a pull request could send the URL of a chat to an endpoint of his."""
    assert variable_refusal(name, {"RECONCILER_ALLOW_ENV": "*"}) is not None
