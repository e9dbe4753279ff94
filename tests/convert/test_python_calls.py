"""Python code is parsed and never executed."""

from pathlib import Path

import pytest

from reconciler.convert.candidates import Outside
from reconciler.convert.python_calls import Call, Computed, Module, Name, UnreadablePython

IMPORT = "from runpod_flash import Endpoint as E\nimport runpod_flash, runpod_flash as rf, os\n"


def calls(code: str) -> tuple[Module, list[Call]]:
    module = Module(IMPORT + code)
    return module, list(module.calls(["Endpoint"], ["runpod_flash"]))


@pytest.mark.parametrize(
    ("code", "targets"),
    [
        ("a = E(name='x')", ["a"]),
        ("@E(name='x')\ndef f(): ...", ["f"]),
        ("@rf.Endpoint('x')\nasync def f(): ...", ["f"]),
        ("@runpod_flash.Endpoint('x')\nclass C: ...", ["C"]),
        ("print(E('x').run())", [""]),
        ("def later():\n    b = E('x')", ["b"]),
        ("Endpoint('x')", []),
        ("other.Endpoint('x')", []),
    ],
)
def test_calls_are_found_by_what_is_imported(code: str, targets: list[str]) -> None:
    assert [call.target for call in calls(code)[1]] == targets


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("1", 1),
        ("-2", -2),
        ("['a', 1.5, None]", ["a", 1.5, None]),
        ("{'a': True}", {"a": True}),
        ("N", "text"),
        ("GpuType.ANY", Name(text="GpuType.ANY")),
        ("os.environ['A']", Outside(variable="A")),
        ("os.getenv('A')", Outside(variable="A")),
        ("os.environ.get('A', 'b')", Outside(variable="A", default="b")),
    ],
)
def test_values_that_the_text_tells(code: str, value: object) -> None:
    module, found = calls(f"N: str = 'text'\nE(x={code})")
    assert module.value(found[0].arguments["x"].node) == value


@pytest.mark.parametrize(
    "code", ["f'{1}'", "1 + 1", "loop", "{**a}", "{1: 2}", "-'a'", "os.getenv(1)", "unknown"]
)
def test_values_that_only_running_tells(code: str) -> None:
    module, found = calls(f"loop = loop\nE(x={code})")
    with pytest.raises(Computed):
        module.value(found[0].arguments["x"].node)


def test_nothing_is_executed(tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    calls(f"open({str(trap)!r}, 'w')\nE(x=open({str(trap)!r}, 'w'))")
    assert not trap.exists()


@pytest.mark.parametrize("code", ["(", "\0", "x = " + "-" * 20_000 + "1", "(" * 500, "#" * 2**21, "x = 1 +"])
def test_what_is_no_code_is_one_error(code: str) -> None:
    with pytest.raises(UnreadablePython):
        Module(code)
