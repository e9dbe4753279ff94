"""Reads calls with constant arguments out of Python code, which is parsed and never executed."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from typing import Any, Final

from reconciler.convert.candidates import Outside
from reconciler.model.lazy_dataclass import dataclass

MAX_SIZE: Final = 2**20
"""Bytes. Python's parser takes a hundred times the memory of its text."""

_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)
_GETTERS: Final = frozenset({"os.getenv", "os.environ.get", "getenv", "environ.get"})


class UnreadablePython(Exception):
    """Text that is not Python. line and column count from 1."""

    def __init__(self, reason: str, line: int = 1, column: int = 1) -> None:
        super().__init__(reason)
        self.reason, self.line, self.column = reason, line, column


class Computed(Exception):
    """A value that only running the code would tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """A keyword argument; line and column, from 1, are those of its value."""

    node: ast.expr
    line: int
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call of a class.

    name: the class. target: the name that it decorates or is assigned to, "" for none. has_more: True if it
    has arguments without a name, beside the first, or unpacks some.
    """

    line: int
    column: int
    name: str
    target: str
    arguments: Mapping[str, Argument]
    has_more: bool


class Module:
    """One file of Python code."""

    def __init__(self, text: str) -> None:
        self._tree = _parsed(text)
        self._constants: dict[str, ast.expr] = {}
        self._modules: dict[str, str] = {}
        for node in self._tree.body:
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    self._constants[name] = value
                case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                    self._constants[name] = value

    def calls(self, classes: Collection[str], packages: Collection[str]) -> Iterator[Call]:
        """Yield the calls of classes of packages, in the order of the text."""
        names = dict(self._names_of(classes, packages))
        targets = {id(call): target for node in ast.walk(self._tree) for call, target in _targets(node)}
        found = [
            (node, names[name])
            for node in ast.walk(self._tree)
            if isinstance(node, ast.Call) and (name := dotted_name(node.func)) in names
        ]
        for call, class_name in sorted(found, key=lambda pair: (pair[0].lineno, pair[0].col_offset)):
            yield _call(call, targets.get(id(call), ""), class_name)

    @cached_property
    def routed(self) -> frozenset[str]:
        """The names of objects whose methods decorate functions: `api` of `@api.get("/x")`."""
        functions = (node for node in ast.walk(self._tree) if isinstance(node, _FUNCTIONS))
        calls = (one for node in functions for one in node.decorator_list if isinstance(one, ast.Call))
        return frozenset((dotted_name(one.func) or "").rpartition(".")[0] for one in calls)

    def _names_of(self, classes: Collection[str], packages: Collection[str]) -> Iterator[tuple[str, str]]:
        """Yield (the name by which the code calls a class, the class)."""
        for node in ast.walk(self._tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in packages:
                yield from ((one.asname or one.name, one.name) for one in node.names if one.name in classes)
            elif isinstance(node, ast.Import):
                for one in node.names:
                    if one.name in packages:
                        yield from ((f"{one.asname or one.name}.{name}", name) for name in classes)

    def value(self, node: ast.expr, depth: int = 0) -> Any:
        """Return the value of an expression: constants, and `Outside` for a variable of the environment.

        A name of a class, such as `GpuType.ANY`, is a `Name`; a call of one is a `Made`. Raise Computed.
        """
        if depth > 20:
            raise Computed
        match node:
            case ast.Constant(value=value):
                return value
            case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
                return [self.value(item, depth + 1) for item in items]
            case ast.Dict(keys=keys, values=values) if all(keys):
                pairs = zip(keys, values, strict=True)
                return {self._key(key, depth): self.value(value, depth + 1) for key, value in pairs}
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                number = self.value(operand, depth + 1)
                if isinstance(number, int | float):
                    return -number
                raise Computed
            case ast.Name(id=name) if name in self._constants:
                return self.value(self._constants[name], depth + 1)
            case ast.Attribute() if (member := dotted_name(node)) is not None:
                return Name(text=member)
            case ast.Subscript(value=mapping, slice=ast.Constant(value=str() as key)) if dotted_name(
                mapping
            ) in ("os.environ", "environ"):
                return Outside(variable=key)
            case ast.Call(func=func, args=args) if dotted_name(func) in _GETTERS:
                return self._getter([self.value(arg, depth + 1) for arg in args])
            case ast.Call(func=func) if (made := dotted_name(func)) is not None:
                return Made(name=made, call=_call(node, "", made))
        raise Computed

    def _key(self, node: ast.expr | None, depth: int) -> str:
        key = self.value(node, depth + 1) if node is not None else None
        if isinstance(key, str):
            return key
        raise Computed

    def _getter(self, args: list[Any]) -> Outside:
        match args:
            case [str() as name]:
                return Outside(variable=name)
            case [str() as name, str() as default]:
                return Outside(variable=name, default=default)
        raise Computed


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """The name of a member of a class, such as `GpuType.NVIDIA_H200`."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """An object that a call of a class makes."""

    name: str
    call: Call


def dotted_name(node: ast.expr) -> str | None:
    """Return a name such as `os.environ.get`; None for any other expression."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join((node.id, *reversed(parts))) if isinstance(node, ast.Name) else None


def _parsed(text: str) -> ast.Module:
    if len(text) > MAX_SIZE:
        raise UnreadablePython(f"it is larger than {MAX_SIZE // 2**20} MiB")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # such as those of unknown escapes in its texts
            return ast.parse(text)
    except SyntaxError as error:
        reason = f"it is not Python code: {error.msg}"
        raise UnreadablePython(reason, error.lineno or 1, max(error.offset or 1, 1)) from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise UnreadablePython("it is not Python code, or nested too deeply") from error


def _targets(node: ast.AST) -> Iterator[tuple[ast.Call, str]]:
    """Yield the calls that decorate a function or a class, and the one that is assigned to a name."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield from ((one, node.name) for one in node.decorator_list if isinstance(one, ast.Call))
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() as call):
            yield call, name


def _call(call: ast.Call, target: str, name: str) -> Call:
    arguments = {
        one.arg: Argument(node=one.value, line=one.value.lineno, column=one.value.col_offset + 1)
        for one in call.keywords
        if one.arg is not None
    }
    has_more = any(one.arg is None for one in call.keywords) or len(call.args) > 1
    if call.args and "name" not in arguments:
        first = call.args[0]
        arguments["name"] = Argument(node=first, line=first.lineno, column=first.col_offset + 1)
    return Call(
        line=call.lineno,
        column=call.col_offset + 1,
        name=name,
        target=target,
        arguments=arguments,
        has_more=has_more,
    )
