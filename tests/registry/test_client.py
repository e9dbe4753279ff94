"""Digests are asked for by the protocol of all registries, with tokens and credentials."""

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.kinds.image_reference import parse
from reconciler.registry.challenge import NotChecked, address_of, parse_challenge, token_server
from reconciler.registry.client import digests_of
from reconciler.registry.credentials import Credentials
from tests.fake_registry import PASSWORD, USER, Registry, serve_registry


@pytest.fixture
def registry() -> Iterator[Registry]:
    with serve_registry() as running:
        yield running


def ask(registry: Registry, name: str, environ: dict[str, str] | None = None, seconds: float = 20) -> str:
    """Return the digest, or the reason that there is none."""
    image = parse(registry.image(name))
    return str(digests_of([image], Credentials(environ or {}), seconds)[image])


def login(registry: Registry) -> dict[str, str]:
    return {
        "DOCKER_AUTH_CONFIG": json.dumps({"auths": {registry.host: {"username": USER, "password": PASSWORD}}})
    }


def test_the_digest_of_a_public_image(registry: Registry) -> None:
    """A token is asked for without a credential, and for reading this repository only."""
    digest = registry.push("acme/chat:1")
    assert ask(registry, "acme/chat:1") == digest
    assert [(method, path.partition("?")[0]) for method, path, _ in registry.requests] == [
        ("HEAD", "/v2/acme/chat/manifests/1"),
        ("GET", "/token"),
        ("HEAD", "/v2/acme/chat/manifests/1"),
    ]
    assert "scope=repository%3Aacme%2Fchat%3Apull" in registry.requests[1][1]
    assert [given for _, _, given in registry.requests] == ["", "", "Bearer token-acme/chat"]


def test_no_tag_means_latest(registry: Registry) -> None:
    digest = registry.push("chat:latest")
    assert ask(registry, "chat") == digest


def test_a_private_image_needs_the_credential_of_its_registry(registry: Registry) -> None:
    digest = registry.push("acme/secret:1")
    registry.private.add("acme/secret")
    assert "demands a credential" in ask(registry, "acme/secret:1")
    assert ask(registry, "acme/secret:1", login(registry)) == digest
    wrong = {"DOCKER_AUTH_CONFIG": json.dumps({"auths": {registry.host: {"auth": "eDp5"}}})}
    assert "refuses the credential" in ask(registry, "acme/secret:1", wrong)
    given = [given for _, path, given in registry.requests if given.startswith("Basic")]
    assert len(given) == 2
    assert all(path.startswith("/token") for _, path, given in registry.requests if given.startswith("Basic"))


def test_the_credential_itself_may_be_demanded(registry: Registry) -> None:
    digest = registry.push("acme/chat:1")
    registry.special["acme/chat"] = "basic"
    assert "demands a login" in ask(registry, "acme/chat:1")
    assert ask(registry, "acme/chat:1", login(registry)) == digest


@pytest.mark.parametrize("special", ["no-digest", "odd-digest"])
def test_a_digest_that_is_not_told_is_computed(registry: Registry, special: str) -> None:
    digest = registry.push("acme/chat:1")
    registry.special["acme/chat"] = special
    assert ask(registry, "acme/chat:1") == digest
    assert registry.requests[-1][0] == "GET"


@pytest.mark.parametrize(
    ("special", "reason"),
    [
        ("busy", "the registry asks to wait for 77 s"),
        ("broken", "the registry answered 500"),
        ("moved", "the registry answered 307"),
        ("digest", "names no way to authenticate"),
        ("odd-token", "gave no token"),
        ("http://localhost:9/token", "on another host"),
        ("https://evil.example/token", "on another host"),
        ("http://169.254.169.254/latest", "on another host"),
        ("file:///etc/passwd", "no address"),
        ("https://a b/", "no address"),
        ("https://127.0.0.1:99999/", "no address"),
        ("https://user@127.0.0.1/", "no address"),
    ],
)
def test_what_is_not_checked(registry: Registry, special: str, reason: str) -> None:
    """The reason is in our words, nothing is repeated, and no credential goes elsewhere."""
    registry.push("acme/chat:1")
    registry.special["acme/chat"] = special
    assert reason in ask(registry, "acme/chat:1", login(registry))
    assert len(registry.requests) <= 2
    if special != "odd-token":
        assert not [given for _, _, given in registry.requests if given]


def test_an_unknown_image(registry: Registry) -> None:
    assert ask(registry, "acme/nope:1") == "the registry has no such image"


def test_all_images_share_one_limit_of_time(registry: Registry) -> None:
    """A registry that does not answer delays nothing for longer, and the other images are checked."""
    digest = registry.push("fast:1")
    registry.special["slow"] = "silent"
    images = [parse(registry.image(name)) for name in ("slow:1", "slow:2", "fast:1")]
    begin = time.monotonic()
    answers = digests_of(images, Credentials({}), 1.5)
    assert time.monotonic() - begin < 15
    assert isinstance(answers[images[0]], NotChecked)
    assert answers[images[2]] == digest


def test_a_registry_that_cannot_be_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    image = parse(f"127.0.0.1:{port}/a:1")
    assert str(digests_of([image], Credentials({}), 5)[image]) == "the registry cannot be reached"


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        ("169.254.169.254/latest/meta-data", "never asked"),
        ("[::ffff:169.254.169.254]/a", "never asked"),
        ("[fe80::1]:443/a", "never asked"),
        ("0.0.0.0:1/a", "never asked"),
        ("1.2.3.4.5.6/a", "no host"),
    ],
)
def test_addresses_of_the_local_segment_are_never_asked(image: str, reason: str) -> None:
    reference = parse(image)
    assert reason in str(digests_of([reference], Credentials({}), 5)[reference])


@pytest.mark.parametrize(
    ("registry", "realm", "is_asked"),
    [
        ("registry-1.docker.io", "https://auth.docker.io/token", True),
        ("ghcr.io", "https://ghcr.io/token", True),
        ("registry.gitlab.com", "https://gitlab.com/jwt/auth", True),
        ("registry.example.com:5050", "https://gitlab.example.com/jwt/auth", True),
        ("registry.digitalocean.com", "https://api.digitalocean.com/v2/registry/auth", True),
        ("GHCR.io", "https://ghcr.io./token", True),
        ("ghcr.io", "https://evil.io/token", False),
        ("ghcr.io", "http://ghcr.io/token", False),
        ("ghcr.io", "https://ghcr.io.evil.example/token", False),
        ("ghcr.io", "https://10.0.0.1/token", False),
        ("10.0.0.2:5000", "https://10.0.0.1/token", False),
        ("registry.example.com", "https://localhost/token", False),
        ("registry.example.com", "https://evil-example.com/token", False),
    ],
)
def test_token_servers(registry: str, realm: str, is_asked: bool) -> None:
    """Only those of the same host or the same domain are asked, over TLS."""
    address = address_of(registry)
    assert address.scheme == "https"
    if is_asked:
        assert token_server(realm, address).geturl() == realm
    else:
        with pytest.raises(NotChecked):
            token_server(realm, address)


def test_challenges() -> None:
    """Parameters come in any order and case; what is longer than any real one is cut."""
    challenge = parse_challenge('bearer SERVICE="s" , Realm="https://x/y?z=1",error="a\\"b"')
    assert (challenge.realm, challenge.service) == ("https://x/y?z=1", "s")
    assert parse_challenge("Basic realm=x").scheme == "basic"
    with pytest.raises(NotChecked):
        parse_challenge("")
    begin = time.process_time()
    parse_challenge("Bearer " + 'a="' * 1_000_000)
    assert time.process_time() - begin < 5


def test_credentials_are_read_where_docker_keeps_them(tmp_path: Path) -> None:
    """The variable first, then the files; the entry of a repository is closer than that of its registry."""
    (tmp_path / "config.json").write_text(
        json.dumps(
            {
                "auths": {
                    "https://index.docker.io/v1/": {"auth": "aHViOm9uZQ=="},
                    "ghcr.io": {"auth": "ZmlsZTpvbmU="},
                    "quay.io/acme": {"username": "acme", "password": "p"},
                    "https://quay.io": {"username": "all", "password": "p"},
                    "broken.example": {"auth": "?"},
                    "empty.example": {},
                    "odd.example": 5,
                }
            }
        )
    )
    (tmp_path / "auth.json").write_text(
        json.dumps({"auths": {"ghcr.io": {"username": "auth", "password": "p"}}})
    )
    files = Credentials({"DOCKER_CONFIG": str(tmp_path)})

    def user(known: Credentials, image: str) -> str | None:
        found = known.of(parse(image))
        return found.user if found else None

    assert user(files, "ubuntu") == user(files, "docker.io/acme/chat:1") == "hub"
    assert user(files, "ghcr.io/acme/chat") == "file"
    assert (user(files, "quay.io/acme/x/y"), user(files, "quay.io/other/x")) == ("acme", "all")
    for nothing in ("broken.example/a", "empty.example/a", "odd.example/a", "quay.io.evil.example/a"):
        assert user(files, nothing) is None
    more = {"DOCKER_CONFIG": str(tmp_path), "REGISTRY_AUTH_FILE": str(tmp_path / "auth.json")}
    assert user(Credentials(more), "ghcr.io/a") == "auth"
    more["DOCKER_AUTH_CONFIG"] = '{"auths": {"ghcr.io": {"username": "variable", "password": "p"}}}'
    assert user(Credentials(more), "ghcr.io/a") == "variable"
    home = tmp_path / "home"
    (home / ".docker").mkdir(parents=True)
    (home / ".docker" / "config.json").write_text('{"auths": []}')
    assert user(Credentials({"HOME": str(home)}), "ghcr.io/a") is None
    assert (
        user(Credentials({"HOME": str(tmp_path / "nobody"), "DOCKER_AUTH_CONFIG": "["}), "ghcr.io/a") is None
    )
    found = files.of(parse("quay.io/acme/x"))
    assert found is not None
    assert "acme" not in repr(found)


def test_a_withheld_credential_is_named(registry: Registry) -> None:
    """The reason says what to do; nothing is sent to the token server."""
    registry.push("acme/chat:1")
    registry.private.add("acme/chat")
    image = parse(registry.image("acme/chat:1"))
    answer = digests_of([image], Credentials({}, {f"{registry.host}/acme/chat": None}), 20)[image]
    assert str(answer) == "the declared credential is sent only to hosts in RECONCILER_TRUSTED_HOSTS"
    assert [path for _, path, _ in registry.requests] == ["/v2/acme/chat/manifests/1"]
