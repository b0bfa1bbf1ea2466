"""Read the base from a folder of YAML files, and say where a file is wrong."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from faq.content.topic import Base, Fault, Section, Topic, TopicError
from faq.packaged import CONTENT, LOADER

PACKAGED = CONTENT
"""The base that is installed with the program."""

_Lines = dict[tuple[str | int, ...], int]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to correct in a content file: where (line 0 = the file as a whole) and what to do."""

    file: str
    line: int
    text: str
    level: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        place = f"{self.file}, строка {self.line}" if self.line else self.file
        return f"{place}: {self.text}"


class BaseError(Exception):
    """The content files cannot be used; `problems` names every place."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Document:
    """A YAML file as plain values, with the line of every key and item."""

    file: str
    plain: Any
    lines: Mapping[tuple[str | int, ...], int]

    def line(self, where: tuple[str | int, ...]) -> int:
        """The line of a value, or of the nearest thing around it."""
        while where and where not in self.lines:
            where = where[:-1]
        return self.lines.get(where, 0)

    def problem(self, fault: Fault) -> Problem:
        """The fault with its file and line."""
        return Problem(self.file, self.line(fault.where), fault.text)


def packaged_base() -> Base:
    """The base that is installed with the program; raises BaseError."""
    return load_base(PACKAGED)


def packaged_sections() -> tuple[Section, ...]:
    """The menu that is installed with the program; raises BaseError."""
    sections, problems = _read_sections(PACKAGED / "sections.yaml")
    if problems:
        raise BaseError(tuple(problems))
    return sections


def load_base(folder: Path) -> Base:
    """Read sections.yaml and topics/*.yaml of a folder; raises BaseError naming every problem."""
    topics, problems = read_topics(folder / "topics")
    sections, section_problems = _read_sections(folder / "sections.yaml")
    problems += section_problems
    if not problems:
        problems = [*_wrong_references(topics, sections)]
    if problems:
        raise BaseError(tuple(problems))
    return Base(topics={slug: topic for slug, (topic, _) in topics.items()}, sections=sections)


def read_topics(folder: Path) -> tuple[dict[str, tuple[Topic, Document]], list[Problem]]:
    """Read each topic file by itself: those that can be used, and what is wrong with the others."""
    topics: dict[str, tuple[Topic, Document]] = {}
    problems: list[Problem] = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            document = read_document(path, name=f"topics/{path.name}")
            topics[path.stem] = (_topic(document, stem=path.stem), document)
        except BaseError as error:
            problems += error.problems
    if not topics and not problems:
        problems.append(Problem(f"{folder}", 0, "здесь нет ни одного файла темы (*.yaml): проверьте путь"))
    return topics, problems


def read_document(path: Path, *, name: str | None = None) -> Document:
    """Read one YAML file with its line numbers; raises BaseError for what is not readable YAML."""
    name = name or path.name
    try:
        loader = LOADER(path.read_text(encoding="utf-8-sig"))
    except OSError:
        raise BaseError((Problem(name, 0, "файл не читается: проверьте, что он есть и доступен"),)) from None
    except UnicodeDecodeError:
        raise BaseError((Problem(name, 0, "файл не в кодировке UTF-8: пересохраните его в UTF-8"),)) from None
    except yaml.YAMLError as error:
        raise BaseError((_broken(name, error),)) from None
    try:
        node = loader.get_single_node()
        lines: _Lines = {}
        repeats = [*_mark_lines(node, (), lines)]
        if repeats:
            raise BaseError(tuple(Problem(name, line, text) for line, text in repeats))
        return Document(name, None if node is None else loader.construct_document(node), lines)
    except yaml.YAMLError as error:
        raise BaseError((_broken(name, error),)) from None
    except (TypeError, ValueError) as error:
        text = f"в файле есть невозможное значение ({error}): исправьте его"
        raise BaseError((Problem(name, 0, text),)) from None
    except RecursionError:
        raise BaseError((Problem(name, 0, "значение в файле содержит само себя: уберите ссылку"),)) from None
    finally:
        loader.dispose()


def _topic(document: Document, *, stem: str) -> Topic:
    try:
        topic = Topic.from_plain(document.plain)
    except TopicError as error:
        raise BaseError(tuple(document.problem(fault) for fault in error.faults)) from None
    if topic.slug != stem:
        text = f"slug «{topic.slug}» не совпадает с именем файла: исправьте одно из них"
        raise BaseError((document.problem(Fault(("slug",), text)),))
    return topic


def _broken(name: str, error: yaml.YAMLError) -> Problem:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is None:
        return Problem(
            name, 0, "файл не читается как YAML (в нём недопустимый знак): исправьте или уберите его"
        )
    text = (
        f"не читается как YAML (знак {mark.column + 1}): проверьте отступы, кавычки и двоеточия здесь и выше"
    )
    return Problem(name, mark.line + 1, text)


def _mark_lines(
    node: yaml.Node | None, where: tuple[str | int, ...], lines: _Lines
) -> Iterator[tuple[int, str]]:
    """Note the line of every key and item; yields the keys that are written twice."""
    if node is None:
        return
    lines.setdefault(where, node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            yield from _mark_lines(item, (*where, number), lines)
    elif isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                yield key.start_mark.line + 1, f"ключ «{key.value}» записан дважды: оставьте один"
            seen.add(key.value)
            lines[(*where, key.value)] = key.start_mark.line + 1
            yield from _mark_lines(value, (*where, key.value), lines)


def _read_sections(path: Path) -> tuple[tuple[Section, ...], list[Problem]]:
    try:
        document = read_document(path)
    except BaseError as error:
        return (), list(error.problems)
    if not isinstance(document.plain, list):
        return (), [Problem(document.file, 1, "нужен список разделов: «- id: …», «title: …», «topics: […]»")]
    sections: list[Section] = []
    problems: list[Problem] = []
    for number, plain in enumerate(document.plain):
        if _is_section(plain):
            sections.append(Section(id=plain["id"], title=plain["title"], topics=tuple(plain["topics"])))
        else:
            text = "у раздела должны быть ровно три ключа: id и title (текст) и topics (список тем)"
            problems.append(document.problem(Fault((number,), text)))
    return tuple(sections), problems


def _is_section(plain: object) -> bool:
    return (
        isinstance(plain, dict)
        and set(plain) == {"id", "title", "topics"}
        and isinstance(plain["id"], str)
        and isinstance(plain["title"], str)
        and isinstance(plain["topics"], list)
        and all(isinstance(slug, str) for slug in plain["topics"])
    )


def _wrong_references(
    topics: Mapping[str, tuple[Topic, Document]], sections: Iterable[Section]
) -> Iterator[Problem]:
    """References between files that lead nowhere."""
    placed: dict[str, str] = {}
    for section in sections:
        for slug in section.topics:
            if slug not in topics:
                text = f"в разделе «{section.id}» названа тема «{slug}», но файла topics/{slug}.yaml нет"
                yield Problem("sections.yaml", 0, f"{text}: добавьте файл или уберите тему")
            elif slug in placed:
                text = f"тема «{slug}» стоит в разделах «{placed[slug]}» и «{section.id}»: оставьте один"
                yield Problem("sections.yaml", 0, text)
            placed.setdefault(slug, section.id)
    for slug, (topic, document) in topics.items():
        if slug not in placed:
            text = f"темы «{slug}» нет в sections.yaml: добавьте её в один из разделов"
            yield document.problem(Fault(("section",), text))
        elif topic.section != placed[slug]:
            text = (
                f"раздел «{topic.section}» не как в sections.yaml («{placed[slug]}»): исправьте один из них"
            )
            yield document.problem(Fault(("section",), text))
        for number, other in enumerate(topic.related):
            if other not in topics:
                yield document.problem(
                    Fault(("related", number), f"темы «{other}» в related нет: исправьте имя")
                )
