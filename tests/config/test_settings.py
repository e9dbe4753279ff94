"""Settings from config.yaml and the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.config.settings import load_settings, missing_key_problem
from reconciler.model.hosts import is_loopback
from reconciler.model.settings import Settings
from reconciler.model.sync.policy import Window, WindowKind

from .support import codes, loaded, problem_lines, write

SEED = """\
providers:
  deployment: "novita"  # Switch from k8s to novita

novita:
  enabled: true
  api_key: "your-novita-api-key-here"     # Your Novita API key (Bearer token)
  base_url: "https://api.novita.ai"       # Novita API base URL
  config_dir: "./config"                   # Configuration directory (contains specs.yaml)
  poll_interval: 10                        # Status polling interval in seconds (default: 10)
"""


def settings(root: Path, text: str, **environ: str) -> Settings:
    """Return the settings of a config.yaml without problems."""
    loaded_settings, problems = load_settings(write(root, {"config.yaml": text}), environ=environ)
    assert problems == ()
    return loaded_settings


def test_defaults_without_config_yaml(tmp_path: Path) -> None:
    """config.yaml is optional."""
    assert load_settings(tmp_path, environ={}) == (Settings(), ())


@pytest.mark.parametrize("name", ["config.yaml", "config/config.yaml"])
def test_the_documented_config_yaml(tmp_path: Path, name: str) -> None:
    """It is found in both directories, and its placeholder does not count as a key."""
    loaded_settings, problems = load_settings(write(tmp_path, {name: SEED}), environ={})
    assert problems == ()
    assert loaded_settings == Settings(config_dir="./config")


@pytest.mark.parametrize(
    "text",
    ["", "{}", "novita:\n", "providers:\n", "server: {port: 1:30, x: 0123}\n", "novita: {enabled: null}"],
)
def test_files_without_settings(tmp_path: Path, text: str) -> None:
    """Empty sections and sections of other programs have no effect."""
    assert settings(tmp_path, text) == Settings()


def test_every_setting_is_read(tmp_path: Path) -> None:
    """Each key of the novita section is read with its type."""
    text = (
        "novita: {api_key: ' sk ', base_url: http://localhost:8080/, adopt: true,"
        " poll_interval: 2.5, settle_seconds: 0}"
    )
    loaded_settings = settings(tmp_path, text, RECONCILER_STATE_KEY="state\n")
    assert loaded_settings.api_key is not None
    assert loaded_settings.state_key is not None
    assert (loaded_settings.api_key.value, loaded_settings.api_key.source, str(loaded_settings.api_key)) == (
        "sk",
        "novita.api_key",
        "(sensitive value)",
    )
    assert loaded_settings.state_key.value == "state"
    assert (
        loaded_settings.base_url,
        loaded_settings.poll_interval,
        loaded_settings.settle_seconds,
        loaded_settings.adopt,
    ) == (
        "http://localhost:8080",
        2.5,
        0,
        True,
    )


def test_the_environment_wins(tmp_path: Path) -> None:
    """Variables take precedence, and a reference that is not needed is not resolved."""
    text = "novita: {api_key: '${env:NONE}', base_url: https://a.example}"
    loaded_settings = settings(tmp_path, text, NOVITA_API_KEY=" k\n", NOVITA_BASE_URL="simulator")
    assert loaded_settings.is_simulator
    assert loaded_settings.api_key is not None
    assert (loaded_settings.api_key.value, loaded_settings.api_key.source) == ("k", "${env:NOVITA_API_KEY}")


def test_empty_variables_count_as_unset(tmp_path: Path) -> None:
    """An empty variable, common in CI, does not override the file."""
    environ = {"NOVITA_API_KEY": "", "NOVITA_BASE_URL": "", "RECONCILER_STATE_KEY": ""}
    loaded_settings = settings(tmp_path, "novita: {api_key: k, base_url: simulator}", **environ)
    assert loaded_settings.api_key is not None
    assert loaded_settings.is_simulator
    assert loaded_settings.state_key is None


def test_references_in_settings(tmp_path: Path) -> None:
    """Keys come from files or variables; booleans and numbers are converted."""
    text = """\
novita:
  api_key: ${file:key.txt}
  base_url: ${env:URL}
  adopt: ${env:ADOPT}
  poll_interval: ${env:POLL}
  config_dir: ${env:DIR:-conf}
"""
    write(tmp_path, {"key.txt": "sk-1\n"})
    environ = {"URL": "https://x.example", "RECONCILER_TRUSTED_HOSTS": "x.example"}
    loaded_settings = settings(tmp_path, text, ADOPT="true", POLL="3", **environ)
    assert loaded_settings.api_key is not None
    assert (loaded_settings.api_key.value, loaded_settings.api_key.source) == ("sk-1", "${file:key.txt}")
    assert (
        loaded_settings.base_url,
        loaded_settings.adopt,
        loaded_settings.poll_interval,
        loaded_settings.config_dir,
    ) == (
        "https://x.example",
        True,
        3.0,
        "conf",
    )


@pytest.mark.parametrize("key", ["", "your-novita-api-key-here", "your-api-key", "null"])
def test_placeholders_are_not_keys(tmp_path: Path, key: str) -> None:
    """The documented placeholders and empty text do not count as keys."""
    text = "novita:\n  api_key: " + (key if key == "null" else f'"{key}"')
    assert settings(tmp_path, text).api_key is None


@pytest.mark.parametrize("key", ["a b", "a\tb", "cl\u00e9", "sch\u00fcssel\u20ac", "a\u0001b", "a\nb"])
def test_keys_that_cannot_be_sent(tmp_path: Path, key: str) -> None:
    """A key with a space or an unusual character is a problem that does not show the key."""
    _, problems = load_settings(tmp_path, environ={"NOVITA_API_KEY": key})
    assert [problem.summary for problem in problems] == [
        "the API key in NOVITA_API_KEY contains a space or a character that cannot be sent"
    ]
    assert key not in repr(problems)


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://api.novita.ai/", "https://api.novita.ai"),
        ("https://proxy.example/novita/", "https://proxy.example/novita"),
        ("https://api.novita.ai/gpu-instance/openapi/v1", "https://api.novita.ai"),
        ("https://api.novita.ai/gpu-instance/openapi/v1/", "https://api.novita.ai"),
        ("http://127.8.9.1:80", "http://127.8.9.1:80"),
        ("http://[::1]:80", "http://[::1]:80"),
        ("http://LOCALHOST", "http://LOCALHOST"),
    ],
)
def test_valid_base_urls(tmp_path: Path, url: str, kept: str) -> None:
    """https for any host, http only for loopback; the path of the API is not repeated."""
    assert settings(tmp_path, "", NOVITA_BASE_URL=url).base_url == kept


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("http://api.novita.ai", "is not https"),
        ("http://10.0.0.1", "is not https"),
        ("http://localhost.example", "is not https"),
        ("ftp://localhost", "is not a URL"),
        ("api.novita.ai", "is not a URL"),
        ("https://", "is not a URL"),
        ("https://a b", "is not a URL"),
        ("https://a\u0007b", "is not a URL"),
        ("https://[::1", "is not a URL"),
        ("https://a:99999", "is not a URL"),
        ("https://me@a.example", "contains a user name"),
        ("https://a.example?x=1", "contains a query"),
        ("https://a.example#", "contains a query"),
    ],
)
def test_invalid_base_urls(tmp_path: Path, url: str, what: str) -> None:
    """The API key is never sent unencrypted or to an ambiguous host."""
    loaded_settings, problems = load_settings(tmp_path, environ={"NOVITA_BASE_URL": url})
    assert codes(problems) == ["bad-base-url"]
    assert what in problems[0].summary
    assert loaded_settings.base_url == Settings().base_url


def test_loopback() -> None:
    """Only loopback addresses and localhost are loopback."""
    assert [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "x")] == [
        True,
        True,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize(
    "text", ["providers: {deployment: k8s}", "novita: {enabled: false}", "novita: {enabled: '${env:OFF}'}"]
)
def test_not_enabled(tmp_path: Path, text: str) -> None:
    """Another provider, or `enabled: false`, is an error with the documented message."""
    _, (problem,) = load_settings(write(tmp_path, {"config.yaml": text}), environ={"OFF": "no"})
    assert (problem.code, problem.summary) == ("not-enabled", "novita provider is not enabled")
    assert "Enable Novita provider in `config.yaml`" in problem.hint
    assert 'deployment: "novita"' in problem.hint


def test_the_missing_key() -> None:
    """The documented message with its hint, which shows no literal key."""
    problem = missing_key_problem()
    assert (problem.summary, problem.exit_code) == ("novita API key is required", 1)
    assert "export NOVITA_API_KEY=..." in problem.hint
    assert 'api_key: "${env:NOVITA_API_KEY}"' in problem.hint


BAD = """\
providers: {deployment: 5}
novita:
  apikey: sk-secret
  api_key: 12345
  base_url: 7
  poll_interval: 0
  settle_seconds: -1
  adopt: "${env:ADOPT}"
  enabled: "yes"
  config_dir: ""
"""


def test_all_invalid_settings_are_reported(tmp_path: Path) -> None:
    """Each error of a config.yaml has its place, and no key is shown."""
    loaded_settings, problems = load_settings(
        write(tmp_path, {"config.yaml": BAD}), environ={"ADOPT": "maybe"}
    )
    assert sorted(problem_lines(problems)) == [
        "config.yaml:10:15 bad-format | write a value, or remove the key",
        'config.yaml:1:25 not-text | write "5"',
        "config.yaml:3:3 unknown-key | did you mean `api_key`?",
        "config.yaml:4:12 not-text | write it in double quotes",
        'config.yaml:5:13 not-text | write "7"',
        "config.yaml:6:18 out-of-range | write a number that is more than 0 and at most 86400",
        "config.yaml:7:19 out-of-range | write a number that is from 0 to 86400",
        "config.yaml:8:10 bad-reference | correct the value behind the reference",
        "config.yaml:9:12 wrong-type | write `enabled: true`, without quotes",
    ]
    assert "secret" not in repr(problems)
    assert "12345" not in repr(problems)
    assert loaded_settings == Settings()


@pytest.mark.parametrize("value", ["1:30", "12:30:45", "0123"])
def test_an_ambiguous_key_is_not_shown(tmp_path: Path, value: str) -> None:
    """A key that YAML reads as a number is shown neither as text nor as a number."""
    _, problems = load_settings(
        write(tmp_path, {"config.yaml": f"novita:\n  api_key: {value}\n"}), environ={}
    )
    assert problem_lines(problems) == ["config.yaml:2:12 ambiguous-value | write it in double quotes"]
    assert value not in repr(problems)


@pytest.mark.parametrize("name", ["poll_interval", "settle_seconds"])
def test_seconds_from_references_are_validated(tmp_path: Path, name: str) -> None:
    """A number from the environment has the same range."""
    text = f"novita: {{{name}: '${{env:N}}'}}"
    loaded_settings, problems = load_settings(write(tmp_path, {"config.yaml": text}), environ={"N": "-1"})
    assert codes(problems) == ["out-of-range"]
    assert loaded_settings == Settings()


def test_unset_references_in_settings(tmp_path: Path) -> None:
    """Unset variables are errors with a place, and warnings in a lenient run."""
    text = "novita: {api_key: '${env:K}', base_url: '${env:U}', adopt: '${env:A}'}"
    write(tmp_path, {"config.yaml": text})
    loaded_settings, problems = load_settings(tmp_path, environ={})
    assert codes(problems) == ["unset-reference"] * 3
    assert loaded_settings == Settings()
    assert not any(problem.is_error for problem in load_settings(tmp_path, environ={}, lenient=True)[1])


def test_a_config_that_is_not_a_mapping(tmp_path: Path) -> None:
    """A list or invalid YAML is reported, and the defaults are used."""
    for text, code in (("- a", "wrong-type"), ("a: [", "invalid-yaml"), ("novita: 5", "wrong-type")):
        loaded_settings, problems = load_settings(write(tmp_path, {"config.yaml": text}), environ={})
        assert codes(problems) == [code]
        assert loaded_settings == Settings()


def test_a_load_reports_settings_problems(tmp_path: Path) -> None:
    """load() reports the problems of the settings too."""
    assert "not-enabled" in codes(loaded(tmp_path, {"config.yaml": "novita: {enabled: false}"}).problems)


def test_the_policy_of_an_environment_is_merged_over_that_of_novita(tmp_path: Path) -> None:
    """It is merged key by key; a list replaces a list."""
    text = """
novita:
  sync: {drift: revert, prune: true, windows: [{kind: deny, cron: "0 22 * * *", duration: 8h}]}
environments:
  dev:
  prod:
    sync: {prune: false, apply: auto, drift: null, windows: []}
"""
    write(tmp_path, {"config.yaml": text})
    deny = Window(kind=WindowKind.DENY, cron="0 22 * * *", seconds=28800.0)

    dev, problems = load_settings(tmp_path, environ={}, environment="dev")
    prod, more = load_settings(tmp_path, environ={}, environment="prod")

    assert (problems, more) == ((), ())
    assert dev.sync == {"drift": "revert", "prune": True, "windows": (deny,)}
    assert prod.sync == {"drift": "revert", "prune": False, "apply": "auto", "windows": ()}


def test_faults_of_the_policy_have_their_place(tmp_path: Path) -> None:
    """An invalid section is not read."""
    text = """
novita:
  sync:
    windows: [{kind: deny, cron: "0 99 * * *", duration: 8h}]
environments:
  prod:
    sync: {apply: sometimes}
"""
    write(tmp_path, {"config.yaml": text})

    read, problems = load_settings(tmp_path, environ={}, environment="prod")

    assert read.sync == {"windows": ()}
    assert [(str(one.place), one.code, one.summary) for one in problems] == [
        (
            "config.yaml:7:19",
            "not-one-of",
            "`environments.prod.sync.apply` must be `auto` or `manual`, not sometimes",
        ),
        ("config.yaml:4:34", "bad-cron", "`novita.sync.windows[0].cron` has a bad hour"),
    ]
