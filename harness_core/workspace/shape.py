"""Which keys a place in a document may have, found by following pydantic's locations through the models."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal, Union

from pydantic import BaseModel, Tag

_UNIONS = (Union, types.UnionType)


def keys_at(model: type[BaseModel], location: Sequence[str | int]) -> list[str]:
    """The keys of the mapping at ``location``, which is pydantic's: names and indexes, and tags of unions between them."""
    annotation: Any = model
    for part in location:
        annotation = _step(annotation, part)
    found = next(_models(annotation), None)
    return [] if found is None else [field.alias or name for name, field in found.model_fields.items()]


def _step(annotation: Any, part: str | int) -> Any:
    """What stands at ``part`` of a value of this type, or the member of a union that is tagged so."""
    for member in _members(annotation):
        if isinstance(part, str) and part in _tags(member):
            return _bare(member)
    for member in map(_bare, _members(annotation)):
        if isinstance(member, type) and issubclass(member, BaseModel):
            for name, field in member.model_fields.items():
                if part in (name, field.alias):
                    return field.annotation
        elif typing.get_origin(member) in (tuple, list):
            return typing.get_args(member)[0]
        elif typing.get_origin(member) is dict:
            return typing.get_args(member)[1]
    return None


def _members(annotation: Any) -> Iterator[Any]:
    """The members of a union, however deep; anything else is its own."""
    bare = _bare(annotation)
    if typing.get_origin(bare) in _UNIONS and not _explicit_tags(annotation):
        for member in typing.get_args(bare):
            yield from _members(member)
    else:
        yield annotation


def _bare(annotation: Any) -> Any:
    while typing.get_origin(annotation) is Annotated:
        annotation = typing.get_args(annotation)[0]
    return annotation


def _explicit_tags(annotation: Any) -> set[str]:
    if typing.get_origin(annotation) is not Annotated:
        return set()
    inner, *metadata = typing.get_args(annotation)
    return {item.tag for item in metadata if isinstance(item, Tag)} | _explicit_tags(inner)


def _tags(annotation: Any) -> set[str]:
    """Tags written beside a member, and for a model the one value that its discriminator may have."""
    tags = _explicit_tags(annotation)
    bare = _bare(annotation)
    if isinstance(bare, type) and issubclass(bare, BaseModel):
        for key in ("type", "kind", "transport"):
            field = bare.model_fields.get(key)
            if field is not None and typing.get_origin(field.annotation) is Literal:
                tags.update(typing.get_args(field.annotation))
    return tags


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    bare = _bare(annotation)
    if isinstance(bare, type) and issubclass(bare, BaseModel):
        yield bare
    elif typing.get_origin(bare) in _UNIONS:
        for member in typing.get_args(bare):
            yield from _models(member)
