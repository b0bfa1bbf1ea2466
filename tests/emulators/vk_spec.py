"""VK's published parameter lists, applied to requests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.emulators.vk_errors import invalid

_SPEC = json.loads((Path(__file__).parent / "data" / "vk.json").read_text("utf-8"))
METHODS: dict[str, list[dict[str, Any]]] = _SPEC["methods"]
VERSION: str = _SPEC["version"]

# Accepted by every method.
_COMMON = {"access_token", "v", "lang", "test_mode", "captcha_sid", "captcha_key"}
_BOOLEANS = {"0": False, "1": True, "true": True, "false": False}


class WrongType(ValueError):
    """A value is not of the published type."""


def unknown_parameters(method: str, raw: dict[str, str]) -> list[str]:
    """Names that the method does not have; VK ignores them, tests should not."""
    known = {parameter["name"] for parameter in METHODS[method]} | _COMMON
    return sorted(set(raw) - known)


def parse(method: str, raw: dict[str, str]) -> dict[str, Any]:
    """Typed values of the given parameters.

    Raises error 100 where VK would, and WrongType where the published type is broken.
    """
    values: dict[str, Any] = {}
    for parameter in METHODS[method]:
        name = parameter["name"]
        text = raw.get(name, "")
        if text == "":
            if parameter.get("required"):
                raise invalid(f"{name} is undefined")
            continue
        values[name] = _value(text, parameter, name=name)
    return values


def _value(text: str, parameter: dict[str, Any], *, name: str) -> Any:
    kind = parameter["type"]
    if kind == "array":
        items = [_value(part.strip(), parameter["items"], name=name) for part in text.split(",")]
        if len(items) > parameter.get("maxItems", len(items)):
            raise invalid(f"{name} should contain no more than {parameter['maxItems']} elements")
        return items
    value = _scalar(text, kind, name=name)
    _check_limits(value, parameter, name=name)
    return value


def _scalar(text: str, kind: str | list[str] | None, *, name: str) -> Any:
    try:
        if kind == "integer":
            return int(text)
        if kind == "number":
            return float(text)
        if kind == "boolean":
            return _BOOLEANS[text.lower()]
    except (ValueError, KeyError):
        raise WrongType(f"{name} is not {kind}: {text[:40]!r}") from None
    return text


def _check_limits(value: Any, parameter: dict[str, Any], *, name: str) -> None:
    if isinstance(value, int | float):
        if value < parameter.get("minimum", value):
            raise invalid(f"{name} should be greater or equal to {parameter['minimum']}")
        if value > parameter.get("maximum", value):
            raise invalid(f"{name} should be less or equal to {parameter['maximum']}")
    if isinstance(value, str) and len(value) > parameter.get("maxLength", len(value)):
        raise invalid(f"{name} should be no longer than {parameter['maxLength']}")
    if "enum" in parameter and value not in parameter["enum"]:
        raise invalid(f"{name} should be one of {parameter['enum']}")
