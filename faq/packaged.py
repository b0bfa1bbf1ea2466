"""Read the content files that are installed with the program; they are checked before they are published."""

from pathlib import Path
from typing import Any

import yaml

CONTENT = Path(__file__).parent / "base"
"""Where they are."""
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Ten times faster where libyaml is compiled in."""


def read_plain(path: Path) -> Any:
    """What a YAML file holds, as plain lists and dicts."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=LOADER)  # noqa: S506 - a safe loader
