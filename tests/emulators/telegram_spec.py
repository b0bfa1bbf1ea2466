"""What the Bot API accepts, read from its specification (Bot API 10.1, `data/telegram.json`)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ARRAY = "Array of "
SPEC_FILE = Path(__file__).parent / "data" / "telegram.json"


class Refused(Exception):
    """The server answers with an error instead of a result."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters

    def body(self) -> dict[str, Any]:
        """The JSON of the answer."""
        answer: dict[str, Any] = {"ok": False, "error_code": self.code, "description": self.description}
        if self.parameters:
            answer["parameters"] = self.parameters
        return answer


def bad_request(what: str, **parameters: int) -> Refused:
    """The commonest refusal."""
    return Refused(400, f"Bad Request: {what}", **parameters)


@dataclass(frozen=True)
class Upload:
    """A file that came inside a multipart request."""

    name: str
    mime: str
    content: bytes


@dataclass(frozen=True)
class Field:
    """One parameter of a method, or one field of an object."""

    name: str
    types: tuple[str, ...]
    required: bool


@dataclass(frozen=True)
class Checked:
    """Parameters turned into their types, and everything the caller should not have written."""

    values: dict[str, Any]
    violations: tuple[str, ...]


class WrongType(Exception):
    """A value is not what the specification says."""


class Specification:
    """Answers whether a request is well formed."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self.methods = {name: _fields(body) for name, body in raw["methods"].items()}
        self._objects = {name: _fields(body) for name, body in raw["types"].items()}
        self._unions = {name: body["subtypes"] for name, body in raw["types"].items() if "subtypes" in body}

    def check(self, method: str, raw: Mapping[str, Any]) -> Checked:
        """Convert `raw` (strings of a form, or JSON values, or `Upload`) by the method's fields."""
        fields = {field.name: field for field in self.methods[method]}
        violations: list[str] = []
        values: dict[str, Any] = {}
        for name, value in raw.items():
            if value is None or (isinstance(value, Upload) and name not in fields):
                continue  # attachments are named by attach://, not by the specification
            if name not in fields:
                violations.append(f"{method}: unknown parameter {name}")
                continue
            try:
                values[name] = self._convert(value, fields[name].types, name, violations)
            except WrongType as wrong:
                violations.append(f"{method}: {wrong}")
        violations += [
            f"{method}: {field.name} is required"
            for field in fields.values()
            if field.required and field.name not in raw
        ]
        return Checked(values, tuple(violations))

    def _convert(self, value: Any, types: Sequence[str], where: str, violations: list[str]) -> Any:
        """Pick the type that fits with the fewest unknown fields."""
        if all(kind.startswith(ARRAY) for kind in types):
            return self._array(value, types, where, violations)
        best: tuple[Any, list[str]] | None = None
        problems: list[str] = []
        for kind in types:
            unknown: list[str] = []
            try:
                converted = self._convert_one(value, kind, where, unknown)
            except WrongType as wrong:
                problems.append(str(wrong))
                continue
            if best is None or len(unknown) < len(best[1]):
                best = (converted, unknown)
        if best is None:
            raise WrongType(problems[-1])
        violations += best[1]
        return best[0]

    def _array(self, value: Any, types: Sequence[str], where: str, violations: list[str]) -> list[Any]:
        """Items of one array may be of different types: an album of photos and videos."""
        items = _from_json(value, where)
        if not isinstance(items, list):
            raise WrongType(f"{where} must be an array")
        inner = [kind.removeprefix(ARRAY) for kind in types]
        return [self._convert(item, inner, f"{where}[{i}]", violations) for i, item in enumerate(items)]

    def _convert_one(self, value: Any, kind: str, where: str, violations: list[str]) -> Any:
        if kind in PLAIN:
            return PLAIN[kind](value, where)
        if kind in self._unions:
            return self._convert(value, self._unions[kind], where, violations)
        return self._object(_from_json(value, where), kind, where, violations)

    def _object(self, value: Any, kind: str, where: str, violations: list[str]) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise WrongType(f"{where} must be {kind}")
        fields = {field.name: field for field in self._objects[kind]}
        present = {name: item for name, item in value.items() if item is not None}
        for field in fields.values():
            if field.required and field.name not in present:
                raise WrongType(f"{where}.{field.name} is required in {kind}")
        violations += [f"{where}: unknown field {name} in {kind}" for name in present if name not in fields]
        return {
            name: self._convert(item, fields[name].types, f"{where}.{name}", violations)
            for name, item in present.items()
            if name in fields
        }


@cache
def specification() -> Specification:
    """The specification, read once."""
    return Specification(json.loads(SPEC_FILE.read_text(encoding="utf-8")))


def _fields(body: Mapping[str, Any]) -> tuple[Field, ...]:
    return tuple(Field(f["name"], tuple(f["types"]), f["required"]) for f in body["fields"])


def _from_json(value: Any, where: str) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError as broken:
        raise WrongType(f"{where} is no JSON") from broken


def _integer(value: Any, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise WrongType(f"{where} must be Integer")
    try:
        return int(value)
    except ValueError as broken:
        raise WrongType(f"{where} must be Integer") from broken


def _boolean(value: Any, where: str) -> bool:
    if isinstance(value, bool):
        return value
    if str(value).lower() not in {"true", "false", "1", "0"}:
        raise WrongType(f"{where} must be Boolean")
    return str(value).lower() in {"true", "1"}


def _float(value: Any, where: str) -> float:
    try:
        return float(value)
    except (TypeError, ValueError) as broken:
        raise WrongType(f"{where} must be Float") from broken


def _string(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise WrongType(f"{where} must be String")
    return value


def _input_file(value: Any, where: str) -> Any:
    if isinstance(value, Upload):
        return value
    if isinstance(value, str) and value.startswith("attach://"):
        return value
    raise WrongType(f"{where} must be InputFile")


PLAIN = {
    "Integer": _integer,
    "String": _string,
    "Boolean": _boolean,
    "True": _boolean,
    "Float": _float,
    "InputFile": _input_file,
}
