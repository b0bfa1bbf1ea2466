"""A message is read as it was meant, however it was typed."""

import pickle
from collections.abc import Callable, Sequence
from difflib import SequenceMatcher
from random import Random
from time import perf_counter

import pytest

from faq.content.loading import packaged_base
from faq.matching.reading import NOTION, STEPS, TYPED, Reader
from faq.text import clean, words
from tests import noise

_SEVERAL = 7  # every so many phrasings are tried
_LONG = 100_000  # characters
_LETTERS = "абвгдежзийклмнопрстуфхцчшщыьэюя"


@pytest.fixture(scope="module")
def phrasings() -> tuple[str, ...]:
    return tuple(text for topic in packaged_base().topics.values() for text in topic.phrasings)


@pytest.fixture(scope="module")
def reader(phrasings: tuple[str, ...]) -> Reader:
    return Reader(phrasings)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("yt vjue djqnb d lytdybr", "не могу войти в дневник"),
        ("Ujceckeub yt gecrf.n!", "госуслуги не пускают"),
        ("rjl yt ghb[jlbn", "код не приходит"),
        ("gjxtve yt gecrftn d lytdyr?", "почему не пускает в дневник"),
        ("{jxe djqnb? gfhjkm yt gjl[jlbn/ Xnj ltkfnm&", "хочу войти пароль не подходит что делать"),
        ("«lytdybr» yt jnrhsdftncz", "дневник не открывается"),
        ("не могу войти в lytdybr", "не могу войти в дневник"),
        ("e ht,tyrf ytn cybkcf", "у ребенка нет снилс"),
        ("gj,sdfk d vfrct b d esia", "побывал в максе и в есиа"),
        ("lytdybr/he b lytdybr.he", "дневник и дневник"),
        ("втумтшл не открывается", "дневник не открывается"),
        ("пщыгыдгпш не пускает, втумтшлюкг пуст", "госуслуги не пускает дневник пуст"),
        ("ьфч и зфкщд", "макс и пароль"),
    ],
)
def test_the_wrong_layout_is_undone_both_ways(reader: Reader, typed: str, read: str) -> None:
    assert reader.read(typed).whole.text == read


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("u rebenka net snils", "у ребенка нет снилс"),
        ("uchetnaya zapis ne podtverzhdena", "учетная запись не подтверждена"),
        ("ne mogu voiti, uchotnaja zapis' ne podtverjdena", "не могу войти учетная запись не подтверждена"),
        ("ne mogu voyti v detskii akkaunt", "не могу войти в детский учетная запись"),
        ("4to delat', parol' ne podhodit", "что делать пароль не подходит"),
        ("xochu otvyazat rebyonka", "хочу отвязать ребенка"),
        ("kotoryj raz ne prixodit kod", "который раз не приходит код"),
        ("kotoriy raz ne prihodit kod", "который раз не приходит код"),
        ("nuzhen 6kolnyj dnevnik", "нужен школьный дневник"),
        ("u menya net max", "у меня нет макс"),
        ("mne 14let, login ivanova2013", "мне 14 лет логин иванова 2013"),
    ],
)
def test_transliteration_is_undone_in_everybodys_way(reader: Reader, typed: str, read: str) -> None:
    assert reader.read(typed).whole.text == read


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("how are you my friend", "how are you my friend"),
        ("пишет Invalid state", "пишет invalid state"),
        ("error 404 на iphone", "error 404 на iphone"),
        ("wi-fi и samsung", "wi fi и samsung"),
        ("4g не ловит", "4 g не ловит"),
        ("ivanova@dom.org", "ivanova dom org"),
        ("asdfghjkl", "asdfghjkl"),
    ],
)
def test_what_is_meant_in_latin_letters_stays(reader: Reader, typed: str, read: str) -> None:
    assert reader.read(typed).whole.text == read


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("не могу зайти в гос.услуги", "не могу войти в госуслуги"),
        ("невходит в гос-услуги", "не войти в госуслуги"),
        ("вдневник незаходит", "в дневник не войти"),
        ("войти в госуслгуи", "войти в госуслуги"),
        ("паоль не подхдит", "пароль не подходит"),
        ("от учетки и снилса", "от учетная запись и снилс"),
        ("MAX и МАХ требует", "макс и макс требует"),
        ("koд из cмc не приxoдит", "код из смс не приходит"),
        ("дневник точка ру", "дневник"),
        ("ребёнку тринадцать лет", "ребенку 13 лет"),
        ("Здравствуйте! Подскажите, пожалуйста, где страница входа", "где страница войти"),
        ("пароль не подходит. С уважением, Иванова Мария", "пароль не подходит"),
    ],
)
def test_spelling_slang_and_courtesies_are_put_right(reader: Reader, typed: str, read: str) -> None:
    assert reader.read(typed).whole.text == read


@pytest.mark.parametrize("age", ["сыну 15 лет", "дочка девятиклассница", "учится в 10 классе"])
def test_the_age_is_understood_from_years_and_classes(reader: Reader, age: str) -> None:
    assert f"{NOTION}с14" in reader.read(age).whole.lemmas


@pytest.mark.parametrize(
    ("mistype", "least"),
    [
        (noise.wrong_layout, 0.97),
        (lambda text: noise.translit(text, seed=0), 0.93),
        (lambda text: noise.translit(text, seed=1), 0.93),
        (lambda text: noise.typos(text, seed=0), 0.94),
        (noise.voice, 0.99),
    ],
)
@pytest.mark.parametrize("seen", [True, False])
def test_nearly_every_word_is_restored(
    phrasings: tuple[str, ...], mistype: Callable[[str], str], least: float, seen: bool
) -> None:
    tried = phrasings[::_SEVERAL]
    reader = Reader(phrasings if seen else [text for text in phrasings if text not in tried])
    restored = total = 0
    for text in tried:
        meant = reader.read(text).whole.words
        restored += _in_common(meant, reader.read(mistype(text)).whole.words)
        total += len(meant)

    assert restored / total >= least


def test_well_typed_words_are_not_repaired(phrasings: tuple[str, ...]) -> None:
    tried = phrasings[::_SEVERAL]
    texts = [text for text in phrasings if text not in tried]
    with_spelling = Reader(texts, without=frozenset({"lexicon", "courtesies"}))
    as_typed = Reader(texts, without=frozenset({"lexicon", "courtesies", "spelling"}))
    said = [(as_typed.read(text).whole.words, with_spelling.read(text).whole.words) for text in tried]
    changed = sum(len(typed) - _in_common(typed, read) for typed, read in said)

    # Slang in another form («учетки») becomes the form of the lexicon: no mistake, but counted here.
    assert changed <= 0.01 * sum(len(typed) for typed, _ in said)


@pytest.mark.parametrize(
    ("step", "typed", "read"),
    [
        ("lookalikes", "пapoль подошел", "п apo ль подошел"),
        ("layout", "ujceckeub", "ujceckeub"),
        ("translit", "parol", "parol"),
        ("glued", "незаходит вдневник", "находит дневник"),
        ("spelling", "пороль подошел", "пороль подошел"),
        ("courtesies", "здравствуйте код", "здравствуйте код"),
        ("lexicon", "домашка", "домашка"),
    ],
)
def test_each_step_can_be_left_out(phrasings: tuple[str, ...], step: str, typed: str, read: str) -> None:
    without = Reader(phrasings, without=frozenset({step}))

    assert without.read(typed).whole.text == read
    assert Reader(phrasings).read(typed).whole.text != read


def test_without_notions_no_lemma_is_added(phrasings: tuple[str, ...]) -> None:
    reader = Reader(phrasings, without=frozenset({"notions"}))

    assert reader.read("мелкому 10 лет").whole.lemmas == ("мелкий", "10", "год")


def test_an_unknown_step_is_refused() -> None:
    with pytest.raises(ValueError, match="telepathy"):
        Reader(["пароль"], without=frozenset({"telepathy"}))


def test_the_steps_that_changed_a_message_are_shown(reader: Reader) -> None:
    stages = reader.explain("Здравствуйте! yt vjue djqnb d lytdybr, ребенку 13 лет")

    assert [stage.step for stage in stages] == [TYPED, "layout", "courtesies", "notions"]
    assert stages[1].text == "здравствуйте. не могу войти в дневник ребенку 13 лет"
    assert stages[2].text == "не могу войти в дневник ребенку 13 лет"
    assert stages[3].text == f"{NOTION}до14"
    assert [stage.step for stage in reader.explain("пароль")] == [TYPED]
    assert {stage.step for stage in stages} <= {TYPED, *STEPS}


def test_the_order_of_the_texts_changes_nothing(phrasings: tuple[str, ...], reader: Reader) -> None:
    shuffled = list(phrasings)
    Random(1).shuffle(shuffled)
    other = Reader(shuffled)

    for text in phrasings[:: _SEVERAL * 5]:
        mistyped = noise.typos(text, seed=3, share=1.0)
        assert other.read(mistyped) == reader.read(mistyped)


def test_a_pickled_reader_reads_the_same(reader: Reader) -> None:
    restored = pickle.loads(pickle.dumps(reader))  # noqa: S301  # our own

    assert restored.read("паоль yt gjl[jlbn") == reader.read("паоль yt gjl[jlbn")


def _words_of(random: Random, letters: str, *, shortest: int, longest: int) -> str:
    lengths = (random.randint(shortest, longest) for _ in range(_LONG // (shortest + 1)))
    return " ".join("".join(random.choices(letters, k=length)) for length in lengths)[:_LONG]


@pytest.mark.parametrize(
    "text",
    [
        "б" * _LONG,
        "".join(Random(1).choices(_LETTERS, k=_LONG)),
        _words_of(Random(2), _LETTERS, shortest=3, longest=12),
        _words_of(Random(3), _LETTERS, shortest=5, longest=5),
        _words_of(Random(4), "qwertyuiop[]asdfghjkl;'zxcvbnm,.", shortest=2, longest=12),
        _words_of(Random(5), "jiyews", shortest=4, longest=39),
        "שלום " * (_LONG // 5),
        "😀" * _LONG,
        "а" + "\u0301" * _LONG,
        "\ufdfa" * _LONG,
        "\ud800" * _LONG,
        "\0" * _LONG,
        "a@" * (_LONG // 2),
        "[{'" * (_LONG // 3) + "a",
        "",
    ],
    ids=lambda text: repr(text[:8]),
)
def test_nothing_is_slow_or_raises(reader: Reader, text: str) -> None:
    started = perf_counter()
    reader.read(text)

    assert perf_counter() - started < 0.5  # seconds; a busy machine is given three times what is usual


def test_noise_is_the_same_for_the_same_seed() -> None:
    text = "Не могу войти в дневник, код не приходит"

    assert noise.typos(text, seed=1) == noise.typos(text, seed=1) != text
    assert noise.translit(text, seed=1) == noise.translit(text, seed=1)
    assert noise.wrong_layout("Хочу, ёж.") == "{jxe? `;/"
    assert noise.voice("Кое-как — вошли: «Дневник», 5 класс!") == "кое-как вошли дневник 5 класс"
    assert words(clean(noise.voice(text))) == words(clean(text))


def _in_common(one: Sequence[str], other: Sequence[str]) -> int:
    blocks = SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks)
