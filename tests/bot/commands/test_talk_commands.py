"""`helpdesk ask` in a terminal: what an operator types and reads."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from bot.__main__ import app
from faq.matching.matcher import Matcher
from tests.scripted import (
    CHILD_TOPIC,
    CODE_TOPIC,
    TEEN_TOPIC,
    WHOSE,
    ScriptedMatcher,
    answer,
    clarify,
    unknown,
)

KEY_BYTES = 32
"""Of the stored index: what it was made of."""
DECISION_KEYS = {"decision", "slug", "confidence", "candidates", "foreign", "question", "also"}
SCRIPT = {
    "обед": unknown("обед", foreign=True),
    "учётка": clarify(CHILD_TOPIC, TEEN_TOPIC, question=WHOSE),
    "код и учётка": answer(CODE_TOPIC, also=(clarify(CHILD_TOPIC, TEEN_TOPIC, question=WHOSE),)),
}


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, index_folder: Path, matcher: Matcher) -> Path:
    """A data folder with a stored index that knows the script, and no .env nearby."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "data"
    folder.mkdir()
    monkeypatch.setenv("HELPDESK_DATA_DIR", str(folder))
    key = (index_folder / "index.pickle").read_bytes()[:KEY_BYTES]
    (folder / "index.pickle").write_bytes(key + pickle.dumps(ScriptedMatcher(matcher, SCRIPT)))
    return folder


@pytest.fixture
def whole(data: Path, index_folder: Path) -> None:
    """The stored index as it is, without a script."""
    shutil.copy(index_folder / "index.pickle", data / "index.pickle")


def ask(*arguments: str, **more: Any) -> Result:
    result = CliRunner().invoke(app, ["ask", *arguments], **more)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def told(*arguments: str) -> Any:
    return json.loads(ask(*arguments, "--json").stdout)


def test_a_decision_has_the_keys_that_others_rely_on() -> None:
    plain = told("не приходит код из смс")
    assert set(plain) == DECISION_KEYS | {"text", "ms"}
    assert plain["text"] == "не приходит код из смс"
    assert plain["slug"] == CODE_TOPIC
    assert plain["foreign"] is False
    assert plain["question"] is None
    assert plain["also"] == []
    assert 1 <= len(plain["candidates"]) <= 5


def test_a_foreign_matter_says_so() -> None:
    assert told("обед")["foreign"] is True
    assert ask("обед").stdout.startswith("не знаю: вопрос не о входе в дневник (уверенность 0.10")


def test_a_separating_question_is_shown_with_its_options() -> None:
    assert told("учётка")["question"] == WHOSE.ask
    lines = ask("учётка").stdout.splitlines()
    assert lines[1] == f"  спросить: {WHOSE.ask}"
    assert [line.split("]")[0].strip(" [") for line in lines[2:4]] == list(WHOSE.options.values())


def test_further_questions_of_a_message_are_shown() -> None:
    (other,) = told("код и учётка")["also"]
    assert set(other) == DECISION_KEYS
    assert (other["decision"], other["slug"], other["question"]) == ("clarify", CHILD_TOPIC, WHOSE.ask)
    shown = ask("код и учётка").stdout
    assert shown.startswith("ответ (")
    assert "ещё вопрос: уточнить (уверенность 0.40)" in shown


@pytest.mark.usefixtures("whole")
def test_an_explanation_follows_the_decision() -> None:
    shown = ask("rjl bp cvc yt ghb[jlbn", "--explain").stdout
    parts = ("ответ (", "Как прочитано", "«код из смс не приходит»", "лучшая тема верна", "Что говорит")
    order = [shown.index(said) for said in parts]
    assert order == sorted(order)
    told_of = shown.split("Что говорит за темы")[1]
    for said in (CODE_TOPIC, "признаки (значение, вклад):", "похожие формулировки:", "слова: "):
        assert said in told_of


@pytest.mark.usefixtures("whole")
def test_an_explanation_is_a_key_of_its_own() -> None:
    plain = told("не приходит код из смс", "--explain")
    assert set(plain) == DECISION_KEYS | {"text", "ms", "explanation"}
    explanation = plain["explanation"]
    assert explanation["stages"][0] == {"step": "typed", "text": "не приходит код из смс"}
    assert explanation["candidates"][0]["slug"] == plain["slug"] == CODE_TOPIC
    assert explanation["answer_from"] > explanation["unknown_below"]


@pytest.mark.usefixtures("whole")
def test_every_line_of_a_batch_is_explained() -> None:
    result = ask("--batch", "-", "--json", "--explain", input="обед в столовой\nснилс\n")
    first, second = map(json.loads, result.stdout.splitlines())
    assert (first["decision"], second["decision"]) == ("unknown", "clarify")
    assert "слишком общо" in "".join(second["explanation"]["notes"])


def test_neither_or_both_of_text_and_batch_are_refused() -> None:
    assert "одно из двух" in ask().stderr
    assert ask("код", "--batch", "-").exit_code == 2
