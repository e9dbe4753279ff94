"""Files of values from every system: one reader, the true values, and file and line for what says nothing."""

import pytest

from tests.e2e.sandbox import Sandbox, item

READ = {
    "plain": (b"A=v\n", "v"),
    "bom": (b"\xef\xbb\xbfA=v\n", "v"),
    "bom of utf-16": ("\ufeffA=v\n".encode("utf-16-le"), "v"),
    "crlf": (b"B=x\r\nA=v\r\nC=y\r\n", "v"),
    "lone cr": (b"B=x\rA=v\rC=y\r", "v"),
    "no last line break": (b"A=v", "v"),
    "form feed": (b"\x0cA=v\x0c\n", "v"),
    "spaces": (b"A = v\n", "v"),
    "tabs": (b"\tA\t=\tv\t\n", "v"),
    "export": (b"export A=v\n", "v"),
    "export with spaces": (b"  export   A = v\n", "v"),
    "comment": (b"A=v # a comment\n", "v"),
    "comment after a quote": (b"A='v' # it's one\n", "v"),
    "no comment": (b"A=v#1\n", "v#1"),
    "single quotes": (b"A='a b $C ${D} \\n'\n", "a b $C ${D} \\n"),
    "double quotes": (b'A="a\\nb $C ${env:X}"\n', "a\nb $C ${env:X}"),
    "lines in quotes": (b"A='one\r\ntwo'\r\nB=1\r\n", "one\r\ntwo"),
    "the last one": (b"A=1\nA=v\n", "v"),
    "comments and blanks": (b"# A=1\n\n   \n#\nA=v\n", "v"),
    "dollars": (b"A=$HOME/$$\n", "$HOME/$$"),
    "a reference": (b"A=${env:B}\n", "${env:B}"),
    "equals": (b"A=b=c==\n", "b=c=="),
}


@pytest.mark.parametrize("name", READ)
@pytest.mark.parametrize("way", ["references", "deploy", "update"])
def test_every_reader_reads_alike(sandbox: Sandbox, name: str, way: str) -> None:
    """By --env-file for references, and by --env-file of a change by hand."""
    content, value = READ[name]
    (sandbox.root / "the.env").write_bytes(content)
    if way == "references":
        sandbox.declare(item("chat", env={"A": "${env:A}"}))
        sandbox.apply("--env-file", "the.env")
    else:
        deploy = ["deploy", "chat", "--image", "ubuntu:22.04", "--spec", "small", "--yes"]
        assert sandbox.run(*deploy, *(["--env-file", "the.env"] if way == "deploy" else [])).code == 0
        if way == "update":
            assert sandbox.run("update", "chat", "--env-file", "the.env", "--yes").code == 0
    assert {"key": "A", "value": value} in sandbox.live()["chat"]["envs"]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"A=1\nS3CRET-alone\n", 2),
        (b"A=1\r\n\r\nexport S3CRET\r\n", 3),
        (b"A=1\r\rA: S3CRET\r", 3),
        (b"\n\n\nS3CRET AND=more\n", 4),
        (b"A='S3CRET is never closed\nB=1\n", 1),
        (b'B=1\nA="S3CRET\n', 2),
        (b"A='S3CRET' and more\n", 1),
        (b"=S3CRET\n", 1),
        (b"A+B=S3CRET\n", 1),
        (b"A=S3CRET\0\n", 1),
        (b"A=S3CRET\xff\n", 1),
        (b"  <<<<<<< S3CRET\n", 1),
    ],
)
@pytest.mark.parametrize("way", ["plan", "deploy"])
def test_what_says_nothing_is_an_error_with_a_place(
    sandbox: Sandbox, content: bytes, line: int, way: str
) -> None:
    """File and line, and nothing of what stands there: it may be the secret."""
    (sandbox.root / "the.env").write_bytes(content)
    sandbox.declare(item("chat"))
    rest = ["chat", "--image", "a:1", "--spec", "small", "--yes"] if way == "deploy" else []
    ran = sandbox.run(way, *rest, "--env-file", "the.env")
    assert ran.code == 1
    assert f"the.env:{line}:1" in ran.err
    assert "S3CRET" not in ran.out + ran.err
    assert sandbox.sim.requests == []
    assert "S3CRET" not in sandbox.run(way, *rest, "--env-file", "the.env", "--json").out


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b"v", "v"),
        (b"v\n", "v"),
        (b"v\r\n", "v"),
        (b"v\r", "v"),
        (b"\xef\xbb\xbfv\r\n", "v"),
        ("\ufeffv\r\n".encode("utf-16-le"), "v"),
        ("\ufeffv\n".encode("utf-16-be"), "v"),
        (b"one\ntwo\n\n", "one\ntwo\n"),
        (b"one\r\ntwo\r\n", "one\r\ntwo"),
        (b" v \n", " v "),
        (b"a\x0cb\n", "a\x0cb"),
    ],
    ids=repr,
)
def test_a_referenced_file_says_what_it_holds(sandbox: Sandbox, content: bytes, value: str) -> None:
    """Without a mark in front and one line break at the end; all else is the value."""
    (sandbox.root / "value.txt").write_bytes(content)
    sandbox.declare(item("chat", env={"A": "${file:value.txt}"}))
    sandbox.apply()
    assert sandbox.live()["chat"]["envs"] == [{"key": "A", "value": value}]
    assert sandbox.plan().code == 0


@pytest.mark.parametrize("line", ["A='S3CRET' and more", 'A="S3CRET" "again"', "A='it''s'", 'A="a\\"b"c'])
def test_a_quote_that_is_closed_is_not_said_to_be_open(sandbox: Sandbox, line: str) -> None:
    sandbox.write("the.env", f"{line}\n")
    sandbox.declare(item("chat"))
    ran = sandbox.run("plan", "--env-file", "the.env")
    assert ran.code == 1
    assert "this line has text behind a closing quote" in ran.err
