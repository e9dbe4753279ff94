"""Each case is held against the decorator of the standard library."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any, ClassVar

import pytest

from reconciler.model import lazy_dataclass

OPTIONS = [
    {"frozen": True, "slots": True, "kw_only": True},
    {"frozen": True, "slots": True},
    {"frozen": True},
    {"slots": True, "kw_only": True},
    {"slots": True, "eq": False},
    {"frozen": True, "slots": True, "repr": False},
]


def build(decorator: Callable[..., Any], options: Mapping[str, bool]) -> tuple[Any, Any]:
    """Return a class and one that inherits from it."""

    @decorator(**options)
    class Base:
        KIND: ClassVar[str] = "base"
        name: str
        size: int = 1
        tags: list[str] = field(default_factory=list)
        seen: int = field(default=0, compare=False, repr=False)

        def __post_init__(self) -> None:
            if self.size < 0:
                raise ValueError("a size is not negative")

    @decorator(**options)
    class Derived(Base):
        extra: str = "x"

    return Base, Derived


@pytest.fixture(params=OPTIONS, ids=lambda options: "-".join(options))
def pair(request: pytest.FixtureRequest) -> tuple[tuple[Any, Any], tuple[Any, Any], Mapping[str, bool]]:
    own = build(lazy_dataclass.dataclass, request.param)
    standard = build(dataclasses.dataclass, request.param)
    return own, standard, request.param


@pytest.fixture(autouse=True, params=[0, 1000], ids=["compiled", "uncompiled"])
def uncompiled(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lazy_dataclass, "UNCOMPILED", request.param)


def outcome(call: Callable[[], Any]) -> Any:
    """Return the result, or the type of the exception."""
    try:
        return call()
    except Exception as error:
        return type(error)


CALLS: dict[str, Callable[[Any, Any], Any]] = {
    "repr": lambda base, _: repr(base(name="a")).rpartition(".")[2][:4],
    "repr of a derived class": lambda _, derived: repr(derived(name="a", extra="b")).rpartition(">.")[2][:7],
    "defaults": lambda base, _: (base(name="a").size, base(name="a").tags, base(name="a").seen),
    "a default that is made anew": lambda base, _: base(name="a").tags is base(name="a").tags,
    "equal": lambda base, _: base(name="a") == base(name="a"),
    "what does not count": lambda base, _: base(name="a", seen=1) == base(name="a", seen=2),
    "unequal": lambda base, _: base(name="a") == base(name="b"),
    "of another class": lambda base, derived: base(name="a") == derived(name="a"),
    "of no class": lambda base, _: base(name="a") == 1,
    "hash": lambda base, _: len({base(name="a", tags=()), base(name="a", tags=())}),
    "hash of a list": lambda base, _: isinstance(hash(base(name="a")), int),
    "a missing argument": lambda base, _: base(),
    "an unknown argument": lambda base, _: base(name="a", other=1),
    "positional": lambda base, _: base("a", 2).size,
    "positional of a derived class": lambda _, derived: derived("a", 2, [], 0, "b").extra,
    "post init": lambda base, _: base(name="a", size=-1),
    "assignment": lambda base, _: setattr(base(name="a"), "size", 2),
    "deletion": lambda base, _: delattr(base(name="a"), "size"),
    "replace": lambda base, _: dataclasses.replace(base(name="a"), size=3).size,
    "fields": lambda _, derived: [one.name for one in dataclasses.fields(derived)],
    "asdict": lambda base, _: dataclasses.asdict(base(name="a")),
    "match": lambda base, _: base.__match_args__,
    "class variable": lambda base, _: base.KIND,
    "slots": lambda base, derived: (getattr(base, "__slots__", None), getattr(derived, "__slots__", None)),
    "copy": lambda base, _: copy.copy(base(name="a", size=4)).size,
    "deep copy": lambda _, derived: copy.deepcopy(derived(name="a", extra="z")).extra,
    "qualified name": lambda base, _: base.__qualname__,
    "is a dataclass": lambda base, _: dataclasses.is_dataclass(base),
}


@pytest.mark.parametrize("call", CALLS)
def test_it_means_what_the_standard_one_means(pair: Any, call: str) -> None:
    own, standard, _ = pair
    assert outcome(lambda: CALLS[call](*own)) == outcome(lambda: CALLS[call](*standard))


def test_a_derived_class_and_its_base_each_get_their_own_constructor() -> None:
    base, derived = build(lazy_dataclass.dataclass, {"frozen": True, "slots": True, "kw_only": True})
    assert derived(name="a", extra="b").extra == "b"
    assert base(name="a").name == "a"
    with pytest.raises(TypeError):
        base(name="a", extra="b")


def test_a_frozen_instance_refuses_what_is_no_field() -> None:
    """The standard one raises TypeError where there are slots, because of its `super()`."""
    base, _ = build(lazy_dataclass.dataclass, {"frozen": True, "slots": True, "kw_only": True})
    with pytest.raises(dataclasses.FrozenInstanceError):
        base(name="a").other = 2


@lazy_dataclass.dataclass(frozen=True, slots=True)
class Pickled:
    name: str


def test_pickle() -> None:
    assert pickle.loads(pickle.dumps(Pickled("a"))) == Pickled("a")


def test_nothing_is_compiled_at_definition(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason for this module. A class with few instances is not compiled at all."""
    monkeypatch.setattr(lazy_dataclass, "UNCOMPILED", 2)
    compiled: list[object] = []
    real = lazy_dataclass._compiled_init
    monkeypatch.setattr(lazy_dataclass, "_compiled_init", lambda *a, **k: compiled.append(1) or real(*a, **k))
    base, _ = build(lazy_dataclass.dataclass, {"frozen": True, "slots": True, "kw_only": True})
    assert compiled == []
    base(name="a")
    base(name="b")
    assert compiled == []
    base(name="c")
    base(name="d")
    assert compiled == [1]


def test_an_empty_class_and_a_field_that_is_no_parameter() -> None:
    @lazy_dataclass.dataclass(frozen=True, slots=True)
    class Empty:
        pass

    @lazy_dataclass.dataclass(slots=True)
    class Counted:
        names: list[str] = field(default_factory=list, init=False)
        late: int = field(init=False)

    assert Empty() == Empty()
    assert Counted().names == []
    assert not hasattr(Counted(), "late")


def test_own_comparison_and_hash_are_kept() -> None:
    @lazy_dataclass.dataclass(frozen=True, slots=True)
    class Hashed:
        name: str

        def __hash__(self) -> int:
            return 7

    @lazy_dataclass.dataclass(frozen=True, slots=True)
    class Equal:
        name: str

        def __eq__(self, other: object) -> bool:
            return True

        def __hash__(self) -> int:
            return 8

    assert hash(Hashed("a")) == 7
    assert Hashed("a") == Hashed("a")
    assert Equal("a") == Equal("b")
    assert hash(Equal("a")) == 8


def test_two_threads_may_make_the_first_instance_at_once() -> None:
    """The slower thread still calls the constructor that the faster one has replaced."""

    @lazy_dataclass.dataclass(frozen=True, slots=True, kw_only=True)
    class Point:
        x: int

    slow = Point.__init__
    Point(x=1)
    point = object.__new__(Point)
    slow(point, x=2)
    assert point == Point(x=2)
