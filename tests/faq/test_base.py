"""The base: read from files, refused with a clear sentence, checked before it is published."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from faq.checking import check_base, confusions_in, errors_in, is_doubtful
from faq.content import region
from faq.content.loading import PACKAGED, BaseError, load_base
from faq.content.region import RegionError, load_region, region_names, render
from faq.content.topic import Base, NotHere, Topic, TopicError
from faq.matching.scoring import load_outside
from faq.measuring.labelled import read_labelled
from faq.text import normalise

REGIONS = tuple(load_region(name) for name in region_names())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the packaged base that may be spoiled."""
    copy = tmp_path / "base"
    shutil.copytree(PACKAGED, copy)
    return copy


def texts_of(problems: object) -> str:
    return "\n".join(str(problem) for problem in problems)  # type: ignore[attr-defined]


def refused(folder: Path) -> str:
    with pytest.raises(BaseError) as error:
        load_base(folder)
    return str(error.value)


def changed(base: Base, slug: str, **changes: Any) -> Base:
    return Base(topics={**base.topics, slug: replace(base.topics[slug], **changes)}, sections=base.sections)


def test_every_topic_is_in_a_section(base: Base) -> None:
    placed = [slug for section in base.sections for slug in section.topics]

    assert sorted(placed) == sorted(base.topics)


def test_the_packaged_base_has_no_errors_of_form(base: Base) -> None:
    errors = [str(each) for each in errors_in(base, REGIONS)]

    assert [error for error in errors if "unverified" not in error] == []


def test_a_topic_survives_json(base: Base) -> None:
    for topic in base.topics.values():
        assert Topic.from_plain(json.loads(json.dumps(topic.to_plain(), ensure_ascii=False))) == topic


def test_a_topic_survives_yaml(base: Base) -> None:
    topic = base.topics["password-recovery"]

    assert Topic.from_plain(yaml.safe_load(yaml.safe_dump(topic.to_plain(), allow_unicode=True))) == topic


def test_a_base_does_not_change(base: Base) -> None:
    with pytest.raises(TypeError):
        base.topics["new"] = base.topics["password-recovery"]  # type: ignore[index]


def test_a_wrong_plain_topic_names_every_fault(base: Base) -> None:
    plain = base.topics["password-recovery"].to_plain()
    plain |= {"severity": "huge", "sensitive": "no", "checked": "вчера", "colour": "red"}
    del plain["answer"]["meaning"]

    with pytest.raises(TopicError) as error:
        Topic.from_plain(plain)

    for said in ("severity", "true или false", "2026-11-22", "colour", "answer.meaning"):
        assert said in str(error.value)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (
            lambda text: text.replace("severity:", "severty:"),
            ("неизвестный ключ «severty»", "нет ключа «severity»"),
        ),
        (lambda text: text.replace("slug: password", "slug: passwort"), ("не совпадает с именем файла",)),
        (lambda text: text + "\n  broken: [", ("не читается как YAML", "строка")),
        (lambda text: text.replace("related: [", "related: [nowhere, "), ("«nowhere»", "related")),
        (lambda text: text.replace("section: codes", "section: rights"), ("«rights»", "«codes»")),
        (lambda text: text + "\nslug: password-recovery\n", ("записан дважды",)),
        (lambda _: "", ("пар «ключ: значение»",)),
        (lambda _: "- a\n- b", ("пар «ключ: значение»",)),
    ],
)
def test_a_spoiled_file_is_refused_with_a_sentence(
    folder: Path, spoil: Callable[[str], str], said: tuple[str, ...]
) -> None:
    path = folder / "topics" / "password-recovery.yaml"
    path.write_text(spoil(path.read_text(encoding="utf-8")), encoding="utf-8")

    message = refused(folder)

    assert "topics/password-recovery.yaml" in message
    assert all(part in message for part in said)


def test_the_line_of_a_wrong_value_is_named(folder: Path) -> None:
    path = folder / "topics" / "password-recovery.yaml"
    lines = path.read_text(encoding="utf-8").splitlines()
    number = next(number for number, line in enumerate(lines) if line.startswith("ages:"))
    lines[number] = "ages: toddler"
    path.write_text("\n".join(lines), encoding="utf-8")

    assert f"topics/password-recovery.yaml, строка {number + 1}: «ages»: «toddler» не подходит" in refused(
        folder
    )


def test_a_file_that_is_not_utf8_is_refused(folder: Path) -> None:
    (folder / "topics" / "password-recovery.yaml").write_bytes("slug: пароль".encode("cp1251"))

    assert "UTF-8" in refused(folder)


def test_a_missing_topic_file_is_named(folder: Path) -> None:
    (folder / "topics" / "password-recovery.yaml").unlink()

    assert "password-recovery" in refused(folder)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    assert "ни одного файла" in refused(tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Смотрите [тут](https://gosuslugi.ru.evil.com/x)", "gosuslugi.ru.evil.com"),
        ("Смотрите https://example.com", "example.com"),
        ("Зайдите на gosuslugisovet.ru", "gosuslugisovet.ru"),
        ("Зайдите на [сайт](http://gosuslugi.ru)", "https://"),
        ("Звоните 8-800-100-70-70", "70-70"),
        ("Войдите {in_region}", "in_region"),
        ("а" * 500, "длиннее"),
    ],
)
def test_an_answer_that_misleads_is_an_error(base: Base, text: str, said: str) -> None:
    topic = base.topics["password-recovery"]
    spoiled = changed(base, topic.slug, answer=replace(topic.answer, meaning=text))

    assert said in texts_of(errors_in(spoiled, REGIONS))


def test_the_same_phrasing_twice_is_an_error_even_with_a_latin_letter(base: Base) -> None:
    own = base.topics["password-recovery"].phrasings
    double = own[0].replace("о", "o").upper() + "!!"
    spoiled = changed(base, "password-recovery", phrasings=(*own, double))

    assert "записана дважды" in texts_of(errors_in(spoiled, REGIONS))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"phrasings": ("один",)}, "нужно хотя бы"),
        ({"not_here": ()}, "not_here"),
        ({"not_here": (NotHere("текст", "nowhere"),)}, "nowhere"),
        ({"button": "б" * 37}, "button"),
        ({"button": "Не приходит код или СМС"}, ""),
        ({"sources": ("F99.9",)}, "F99.9"),
        ({"sources": ("F1.12",), "unverified": ()}, "F1.12"),
        ({"section": "nowhere"}, "nowhere"),
    ],
)
def test_what_an_editor_forgets_is_an_error(base: Base, changes: dict[str, Any], said: str) -> None:
    assert said in texts_of(errors_in(changed(base, "password-recovery", **changes), REGIONS))


def test_a_phrasing_that_is_read_as_another_topic_is_a_warning(base: Base) -> None:
    pair = Base(topics={slug: base.topics[slug] for slug in ("fio-mismatch", "snils-mismatch")})
    stolen = base.topics["snils-mismatch"].phrasings[0] + " сильно"
    spoiled = changed(pair, "fio-mismatch", phrasings=(*base.topics["fio-mismatch"].phrasings, stolen))
    warnings = [problem for problem in check_base(spoiled, REGIONS) if problem.level == "warning"]

    assert f"«{stolen}» похожа на" in texts_of(warnings)
    assert len(warnings) == len(confusions_in(spoiled))


def test_two_topics_may_not_share_a_button(base: Base) -> None:
    spoiled = changed(base, "password-recovery", button=base.topics["fio-mismatch"].button)

    assert "такая же, как у темы" in texts_of(errors_in(spoiled, REGIONS))


@pytest.mark.parametrize(
    ("fact", "doubtful"), [("F1.1", False), ("F1.12", True), ("F7.10", True), ("F1.5", False)]
)
def test_weak_facts_are_known(fact: str, doubtful: bool) -> None:
    assert is_doubtful(fact) is doubtful


@pytest.mark.parametrize("region", REGIONS, ids=lambda region: region.slug)
def test_every_answer_reads_whole_in_every_region(base: Base, region: Any) -> None:
    for topic in base.topics.values():
        answer = render(topic, region)

        assert "{" not in answer
        assert answer.startswith("**") or "**" in topic.answer.meaning
        assert f"\n{len(topic.answer.steps)}. " in answer


def test_an_unknown_region_is_named_with_the_known_ones() -> None:
    with pytest.raises(RegionError, match="adygea, arkhangelsk"):
        load_region("moscow")


def test_a_region_may_be_a_file_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    text = (region.PACKAGED / "adygea.yaml").read_text(encoding="utf-8")
    path.write_text(text.replace("slug: adygea", "slug: own"), encoding="utf-8")

    assert load_region(path).slug == "own"
    path.write_text(text.replace("login_page", "login_pag"), encoding="utf-8")
    with pytest.raises(RegionError, match="login_page"):
        load_region(str(path))


def test_a_region_with_several_time_zones_names_its_municipalities(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    text = (region.PACKAGED / "adygea.yaml").read_text(encoding="utf-8")
    zones = "municipality_zones: {Майкоп: Asia/Yakutsk, Адыгейск: Europe/Samara}"
    path.write_text(text.replace("municipality_zones: {}", zones), encoding="utf-8")
    known = load_region(path).municipality_zones
    assert known == (("Адыгейск", "Europe/Samara"), ("Майкоп", "Asia/Yakutsk"))
    for wrong in ("Москва", "7", "../etc/passwd"):
        path.write_text(
            text.replace("municipality_zones: {}", zones.replace("Asia/Yakutsk", wrong)), encoding="utf-8"
        )
        with pytest.raises(RegionError, match="municipality_zones"):
            load_region(path)


def test_no_dev_question_is_in_the_base(base: Base, dev_questions: Path) -> None:
    talk = yaml.safe_load((PACKAGED / "smalltalk.yaml").read_text(encoding="utf-8"))
    said = {normalise(text) for topic in base.topics.values() for text in topic.phrasings}
    said |= {normalise(example.text) for topic in base.topics.values() for example in topic.not_here}
    said |= {normalise(text) for text in load_outside()}
    said |= {normalise(text) for phrases in (*talk["kinds"].values(), talk["polite"]) for text in phrases}

    assert [row.text for row in read_labelled(dev_questions) if normalise(row.text) in said] == []
