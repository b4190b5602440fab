"""JSON Schemas that others write, applied without trust: nothing is fetched, and none can hold a worker up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from harness_core.patterns import Pattern, pattern_problem

_FOLLOWED = 20_000
"""References that one value may lead through: each may double the way of the one before."""

_steps: ContextVar[Iterator[int]] = ContextVar("_steps")
_DATA = frozenset({"enum", "const", "default", "examples"})


class SchemaUnreadable(Exception):
    """A schema that is none, or one that leads to what is not in it."""


def check_schema(schema: Mapping[str, Any]) -> None:
    """:raises SchemaUnreadable: values cannot be held against it."""
    _readable_schema(schema)


def _readable_schema(schema: Mapping[str, Any]) -> Any:
    try:
        plain = _one_dialect(schema)
        # Patterns are in the language of whoever wrote the schema: that Python cannot read one proves nothing.
        Draft202012Validator.check_schema(plain, format_checker=FormatChecker(formats=()))
        _follow(plain, Registry().resolver_with_root(DRAFT202012.create_resource(plain)))
        return plain
    except Exception as error:
        raise SchemaUnreadable(type(error).__name__) from error


def errors_of(schema: Mapping[str, Any], value: Any) -> list[ValidationError]:
    """Everything that keeps ``value`` from fitting. Patterns that need backtracking are left to who wrote the schema.

    :raises SchemaUnreadable: it cannot be said.
    """
    plain = _readable_schema(schema)
    token = _steps.set(iter(range(_FOLLOWED)))
    try:
        return list(_Validator(plain, registry=Registry()).iter_errors(value))
    except Exception as error:
        raise SchemaUnreadable(type(error).__name__) from error
    finally:
        _steps.reset(token)


def _one_dialect(schema: Any) -> Any:
    """``schema`` without a word on its dialect, by which parts of it would be read with the keywords of another."""
    match schema:
        case dict():
            return {
                key: value if key in _DATA else _one_dialect(value)
                for key, value in schema.items()
                if not (key == "$schema" and isinstance(value, str))
            }
        case list():
            return [_one_dialect(each) for each in schema]
        case _:
            return schema


def _follow(schema: Any, resolver: Any) -> None:
    match schema:
        case dict():
            inner = resolver.in_subresource(DRAFT202012.create_resource(schema))
            for key, value in schema.items():
                if key in {"$ref", "$dynamicRef"} and isinstance(value, str):
                    inner.lookup(value)
                elif key not in _DATA:
                    _follow(value, inner)
        case list():
            for each in schema:
                _follow(each, resolver)


def _counted(keyword: str) -> Any:
    follow = Draft202012Validator.VALIDATORS[keyword]

    def counted(validator: Any, reference: Any, value: Any, schema: Any) -> Iterator[ValidationError]:
        if next(_steps.get(), None) is None:
            raise SchemaUnreadable("it leads through too many references")
        yield from follow(validator, reference, value, schema) or ()

    return counted


def _pattern(_validator: Any, pattern: str, value: Any, _schema: Any) -> Iterator[ValidationError]:
    if isinstance(value, str) and not _matches(pattern, value):
        yield ValidationError("does not match")


def _pattern_properties(
    validator: Any, patterns: Mapping[str, Any], value: Any, _schema: Any
) -> Iterator[ValidationError]:
    if not isinstance(value, dict):
        return
    for pattern, wanted in patterns.items():
        for name in value:
            if _readable(pattern) and _matches(pattern, name):
                yield from validator.descend(value[name], wanted, path=name, schema_path=pattern)


def _additional_properties(
    validator: Any, wanted: Any, value: Any, schema: Mapping[str, Any]
) -> Iterator[ValidationError]:
    if not isinstance(value, dict):
        return
    known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    for name in value:
        if name not in known and not any(_matches(each, name) for each in patterns):
            if wanted is False:
                yield ValidationError("is not known", path=[name])
            else:
                yield from validator.descend(value[name], wanted, path=name)


def _unchecked(*_: Any) -> Iterator[ValidationError]:
    # The library would run patterns of the schema to tell which properties are left over.
    return iter(())


def _matches(pattern: str, text: str) -> bool:
    compiled = _compiled(pattern)
    return compiled is None or compiled.found_in(text)


def _readable(pattern: str) -> bool:
    return _compiled(pattern) is not None


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> Pattern | None:
    return Pattern(pattern, ignore_case=False) if pattern_problem(pattern) is None else None


_Validator: Any = extend(  # type: ignore[no-untyped-call]  # its stubs leave it out
    Draft202012Validator,
    {
        "$ref": _counted("$ref"),
        "$dynamicRef": _counted("$dynamicRef"),
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "additionalProperties": _additional_properties,
        "unevaluatedProperties": _unchecked,
    },
)
