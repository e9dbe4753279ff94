"""The grammar of image references."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.kinds.image_reference import InvalidReference, is_reference, parse

SHA = "sha256:" + "0123456789abcdef" * 4

GRAMMAR = re.compile(
    r"(?:(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*"
    r"|\[[a-fA-F0-9:]+\])(?::[0-9]+)?/)?"
    r"[a-z0-9]+(?:(?:[._]|__|[-]+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|[-]+)[a-z0-9]+)*)*"
    r"(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?"
    r"(?:@(?:sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128}))?"
)
"""The published grammar as one expression, which is not linear."""


@pytest.mark.parametrize(
    ("text", "registry", "repository", "tag", "digest"),
    [
        ("ubuntu", "docker.io", "library/ubuntu", "", ""),
        ("vllm/vllm-openai:v0.6.4", "docker.io", "vllm/vllm-openai", "v0.6.4", ""),
        ("docker.io/ubuntu:22.04", "docker.io", "library/ubuntu", "22.04", ""),
        ("index.docker.io/library/ubuntu", "docker.io", "library/ubuntu", "", ""),
        (f"ghcr.io/acme/chat:1.4.2@{SHA}", "ghcr.io", "acme/chat", "1.4.2", SHA),
        (f"x@{SHA}", "docker.io", "library/x", "", SHA),
        ("localhost/a/b", "localhost", "a/b", "", ""),
        ("registry:5000/a__b/c---d:_x", "registry:5000", "a__b/c---d", "_x", ""),
        ("[::1]:5000/a", "[::1]:5000", "a", "", ""),
        ("GHCR.io/acme/chat", "GHCR.io", "acme/chat", "", ""),
        ("docker:24-dind", "docker.io", "library/docker", "24-dind", ""),
    ],
)
def test_the_parts_of_a_reference(text: str, registry: str, repository: str, tag: str, digest: str) -> None:
    """The registry and the repository are complete, also if Docker Hub is only implied."""
    parts = parse(text)
    assert (parts.registry, parts.repository, parts.tag, parts.digest) == (registry, repository, tag, digest)
    assert str(parts) == text


@pytest.mark.parametrize(
    ("text", "reason", "meant"),
    [
        ("chat:", "nothing follows the colon", ""),
        ("/chat:1", "begins with `/`", "chat:1"),
        ("https://ghcr.io/acme/chat:1", "begins with `https://`", "ghcr.io/acme/chat:1"),
        ("https://hub.docker.com/r/vllm/vllm-openai/", "begins with `https://`", "vllm/vllm-openai"),
        ("docker://acme/chat:1", "begins with `docker://`", "acme/chat:1"),
        ("docker:vllm/vllm-openai:v1", "begins with `docker:`", "vllm/vllm-openai:v1"),
        ("AcmeAI/Chat", "lower case", "acmeai/chat"),
        ("AcmeAI/chat:1.0-RC", "lower case", "acmeai/chat:1.0-RC"),
        ("GHCR.io/Acme/chat:1", "lower case", "GHCR.io/acme/chat:1"),
        ("chat:feature/login", "`feature/login` cannot contain `/`", "chat:feature-login"),
        ("acme/chat:feature/login", "letters and digits", ""),
        ("x@sha256:zz", "64 hexadecimal digits", ""),
        (f"x@{SHA[:-1]}", "64 hexadecimal digits", ""),
        (f"x@{SHA.replace(':', ':A')[:71]}", "64 hexadecimal digits", f"x@{SHA.replace(':', ':a')[:71]}"),
        ("x@md5:" + "0" * 32, "not with `md5:`", ""),
        ("chat@1.2", "not a digest", "chat:1.2"),
        ("chat:1@1.2", "not a digest", ""),
        ("chat:1@", "nothing follows the `@`", "chat:1"),
        (SHA, "ID or the digest", ""),
        ("ghcr.io:acme/chat:1", "`acme` is not the port", "ghcr.io/acme/chat:1"),
        ("ghcr.io:99999/chat:1", "`99999` is not the port", ""),
        ("ghcr.io:/chat:1", "`` is not the port", "ghcr.io/chat:1"),
        ("[::1/a", "is not the host", ""),
        ("./chat:1", "is not the host", "chat:1"),
        ("a..b/chat:1", "is not the host", ""),
        ("acme//chat:1", "is empty", "acme/chat:1"),
        ("acme/chat/", "is empty", "acme/chat"),
        ("acme\\chat:1", "separated by `/`", "acme/chat:1"),
        ("chat:1.0+cuda12", "the tag `1.0+cuda12`", "chat:1.0-cuda12"),
        ("chat::1", "the tag `:1`", "chat:1"),
        ("chat:" + "1" * 129, "at most 128", ""),
        ("a___b:1", "`a___b`", ""),
        ("-a/b:1", "`-a`", ""),
        ("ghcr.io/é:1", "`é`", ""),
        ("a" * 256, "at most 255", ""),
        (":1", "no name", ""),
        ("", "no name", ""),
    ],
)
def test_a_fault_is_explained(text: str, reason: str, meant: str) -> None:
    """The error says what is wrong, and what was probably meant if that is a reference."""
    with pytest.raises(InvalidReference) as error:
        parse(text)
    assert reason in error.value.reason
    assert error.value.meant == meant
    assert not is_reference(text)


@pytest.mark.parametrize(
    ("text", "has_no_version"),
    [("a", True), ("a:latest", True), ("a:1", False), (f"a@{SHA}", False), (f"a:latest@{SHA}", False)],
)
def test_a_version(text: str, has_no_version: bool) -> None:
    """A tag other than `latest` and a digest are versions."""
    assert parse(text).has_no_version is has_no_version


PIECES = st.sampled_from(
    [
        *"aZ09._-/:@[]",
        "__",
        "localhost",
        "ghcr.io",
        ":5000/",
        "@sha256:" + "0" * 64,
        "@sha512:" + "f" * 128,
        "é",
    ]
)


def fault(text: str) -> InvalidReference | None:
    try:
        parse(text)
    except InvalidReference as error:
        return error
    return None


@given(st.lists(PIECES, max_size=8).map("".join))
def test_it_is_the_published_grammar(text: str) -> None:
    """No other text is accepted, and what was meant is always a reference."""
    error = fault(text)
    if error is None:
        assert GRAMMAR.fullmatch(text)
        assert str(parse(text)) == text
    else:
        assert error.meant == "" or is_reference(error.meant)


@given(st.from_regex(GRAMMAR, fullmatch=True, alphabet=st.characters(codec="ascii")))
def test_what_the_grammar_accepts_is_accepted(text: str) -> None:
    """Except image IDs, prefixes of other tools, upper-case names, and hosts and ports that do not exist."""
    error = fault(text)
    known = "ID or|begins with|lower case|port|at most 255|cannot contain|host"
    assert error is None or re.search(known, error.reason)


@pytest.mark.parametrize("piece", ["a", "-", ".", "/", ":", "@", "a/", "A/", "a-", "[", "localhost:", "a:b/"])
def test_the_time_is_linear(piece: str) -> None:
    """A long text of any kind is refused at once."""
    begin = time.process_time()
    is_reference(piece * 200_000 + "!")
    assert time.process_time() - begin < 5
