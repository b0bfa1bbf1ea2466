"""Insults are seen inside longer messages, and nothing that merely sounds like one."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from faq.content.loading import packaged_base
from faq.packaged import CONTENT
from faq.rude import is_rude

DATA = Path(__file__).parent.parent / "data"
REALLY_RUDE = (
    "бот ты бесполезный",
    "да пошли вы все лесом",
    "ахаха бот ты тупой как пробка",
    "тупая железяка ничего ты не понимаешь",
    "да пошли вы все к чёртовой бабушке",
    "ну ты и тупой, железяка",
    "идите вы лесом со своими ответами",
    "да блин какого хрена опять ты",
    "да пошёл ты железяка бестолковая",
    "хаха ну ты и тупой бот, насмешил",
)
"""Everything in our own data that deserves the mark; read by a human, line by line."""


@pytest.mark.parametrize(
    "words",
    [
        "Третий день не могу войти, вы там совсем дебилы? Когда почините?",
        "код не приходит, бля, сколько можно",
        "КАКИЕ ЖЕ ВЫ ИДИОТЫ, ребёнок без оценок",
        "опять не работает х*йня ваша",
        "опять не работает п***ц просто",
        "с у к и, верните вход",
        "Объясните этой мрази в школе, что я мать",
        "вы козлы, пароль не подходит",
        "сын не может войти, а ваши тупые сотрудники молчат",
        "пароль не подходит. Пошли вы со своим дневником",
        "учительница дура, ничего не делает",
        "тyпые вы, дневник не открывается",
        "чтоб вы сдохли с вашим дневником",
        "debil admin",
    ],
)
def test_an_insult_is_seen_wherever_it_stands(words: str) -> None:
    assert is_rude(words)


@pytest.mark.parametrize(
    "words",
    [
        "полис страхования и застраховать ребёнка",
        "можно ли употреблять слово «пароль» и хлеб с маслом",
        "команда школы едет в Хабаровск, сто рублей",
        "Дурова Анна и Сукачёв Пётр, классный руководитель Мудров",
        "директор Блягоз, аул Блечепсин",
        "небо, лебедь, себе, тебе, учебник, требуют, потребовали, ребёнок, мебель",
        "похудеть, художник, хуторок, хула, худший",
        "я дура код сказала, что делать",
        "сижу как дура и не понимаю",
        "нас держат за дураков",
        "задали Идиота Достоевского, а в дневнике не видно",
        "сказка про Ивана-дурака в расписании",
        "семья живёт в деревне, хозяйство, скотина, детей шестеро",
        "извините за глупый вопрос, вы не подскажете пароль",
        "глупый вопрос вы подскажете",
        "мы пошли, вы сказали нажать кнопку",
        "телефон тупит, вы поможете",
        "зашла в тупик, вы не поможете",
        "адрес с собакой, команда, мандарин, гондола, бляха",
        "сухари, сук дерева, сукно, барсук, рисунка",
        "Всё плохо, ничего не работает, я в отчаянии",
        "жулики всё узнают, насколько портал защищён",
        "класс 5*А, пароль ***",
        "",
    ],
)
def test_what_only_sounds_rude_is_not_marked(words: str) -> None:
    assert not is_rude(words)


def test_parents_questions_and_our_own_words_give_no_false_alarm() -> None:
    marked = {text for text in _our_texts() if is_rude(text)}
    assert marked <= set(REALLY_RUDE), marked - set(REALLY_RUDE)


def _our_texts() -> set[str]:
    texts = set()
    for path in [*DATA.glob("*.tsv"), CONTENT / "golden.tsv"]:
        with path.open(encoding="utf-8", newline="") as file:
            texts |= {row[0] for row in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE) if row}
    for topic in packaged_base().topics.values():
        texts |= {topic.title, topic.button, *topic.phrasings}
    return texts
