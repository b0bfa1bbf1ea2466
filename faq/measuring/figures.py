"""The figures of an evaluation as tables for people, of one matcher or of several side by side."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

from faq.measuring.evaluation import Confusion, Miss, Report, Several, Shares

_COLUMNS = (
    "всего",
    "top-1",
    "top-3",
    "верно",
    "неверно",
    "уточн.+",
    "уточн.-",
    "не понял",
    "не наше",
    "в+у",
    "лишнее",
)
_LEGEND = (
    "верно, неверно — ответил сразу; уточн.+ и уточн.- — переспросил, верная тема среди кнопок или нет;",
    "не наше — из «не понял», прямо сказал, что вопрос не по теме; в+у — верно или предложил верное;",
    "лишнее — вместе с верным ответил на то, о чём не спрашивали.",
)
_FAULTS = {
    "wrong": "ответил неверно",
    "not_ours": "ответил на чужой вопрос",
    "not_found": "не нашёл",
    "not_clarified": "ответил, не уточнив",
}
_NONE = "–"
_MOST_CANDIDATES = 3  # shown of a miss


def report_table(reports: Mapping[str, Report], *, topics: bool = False) -> str:
    """The figures by group of messages; several matchers stand under each other in every group."""
    names = list(reports)
    head = ["", *([""] if len(names) > 1 else []), *_COLUMNS]
    lines = [*plain_table(head, _grouped(_groups(reports), names)), "", *_LEGEND]
    lines += ["", "по видам сообщений:", *plain_table(head, _grouped(_kinds(reports), names))]
    if topics:
        lines += ["", "по темам, худшие сначала:", *plain_table(head, _grouped(_topics(reports), names))]
    for name, report in reports.items():
        lines += ["", *([f"{name}:"] if len(names) > 1 else []), *_others(report)]
    return "\n".join(lines)


def misses_list(misses: Iterable[Miss]) -> str:
    """Each message that was served badly: its label, what was decided, and from what."""
    return "\n\n".join(_miss(each) for each in misses) or "Таких сообщений нет."


def plain_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Columns by spaces: words to the left, figures to the right."""
    table = [head, *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(head))]
    words = [not head[column] for column in range(len(head))]
    return [
        "  ".join(
            cell.ljust(width) if is_word else cell.rjust(width)
            for cell, width, is_word in zip(row, widths, words, strict=True)
        ).rstrip()
        for row in table
    ]


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The same as Markdown."""
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]


def cells_of(shares: Shares) -> list[str]:
    """Shares in the order of the columns; what foreign messages cannot have is left out."""
    about_topics = {"top1", "top3", "answered_right", "clarified_right", "right_or_offered", "extra"}
    figures = (
        "top1",
        "top3",
        "answered_right",
        "answered_wrong",
        "clarified_right",
        "clarified_wrong",
        "unknown",
        "foreign",
        "right_or_offered",
        "extra",
    )
    return [
        str(shares.count),
        *(
            _NONE
            if not shares.count or (not shares.ours and name in about_topics)
            else f"{getattr(shares, name):.3f}"
            for name in figures
        ),
    ]


def _groups(reports: Mapping[str, Report]) -> dict[str, list[Shares]]:
    each = reports.values()
    groups = {
        "по темам": [report.in_scope for report in each],
        "неоднозначные": [report.ambiguous for report in each],
        "не наши": [report.out_of_scope for report in each],
    }
    parts = {
        "  из них близкие": [report.near for report in each],
        "  из них далёкие": [report.far for report in each],
    }
    return groups | {name: shares for name, shares in parts.items() if any(one.count for one in shares)}


def _kinds(reports: Mapping[str, Report]) -> dict[str, list[Shares]]:
    first, *_ = reports.values()
    return {kind or _NONE: [report.kinds[kind] for report in reports.values()] for kind in first.kinds}


def _topics(reports: Mapping[str, Report]) -> dict[str, list[Shares]]:
    first, *_ = reports.values()
    return {slug: [report.topics[slug] for report in reports.values()] for slug in first.topics}


def _grouped(groups: Mapping[str, Sequence[Shares]], names: Sequence[str]) -> list[list[str]]:
    """A line for each group and matcher; the group is named once."""
    if len(names) == 1:
        return [[group, *cells_of(shares[0])] for group, shares in groups.items()]
    return [
        [group if not number else "", name, *cells_of(each)]
        for group, shares in groups.items()
        for number, (name, each) in enumerate(zip(names, shares, strict=True))
    ]


def _others(report: Report) -> list[str]:
    lines = [f"AUROC «наше — не наше»: {_auroc(report, report.auroc, report.out_of_scope)}"]
    lines[0] += f" (близкие {_auroc(report, report.auroc_near, report.near)},"
    lines[0] += f" далёкие {_auroc(report, report.auroc_far, report.far)})"
    lines += _several(report.several)
    lines += [
        f"время на сообщение, мс: p50 {report.p50_ms:.1f}, p99 {report.p99_ms:.1f},"
        f" наибольшее {report.max_ms:.1f}"
    ]
    if report.confusions:
        lines += ["частые ошибки (верная тема → принята за: сколько раз, из них ответил):"]
        lines += [f"  {_confusion(each)}" for each in report.confusions]
    return lines


def _auroc(report: Report, value: float, outside: Shares) -> str:
    return f"{value:.3f}" if report.in_scope.count and outside.count else _NONE


def _several(several: Several) -> list[str]:
    if not several.count:
        return []
    return [
        f"несколько вопросов сразу: сообщений {several.count}, вопросов {several.labels};"
        f" отвечено {several.answered:.3f}, найдено (с кнопками) {several.found:.3f};"
        f" все отвечены в {several.all_answered:.3f}, все найдены в {several.all_found:.3f} сообщений;"
        f" разделено на вопросы {several.split:.3f}"
    ]


def _confusion(confusion: Confusion) -> str:
    right = "|".join(confusion.right)
    return f"{right} → {confusion.taken or _NONE}: {confusion.times}, {confusion.answered}"


def _miss(miss: Miss) -> str:
    likeliest = miss.candidates[:_MOST_CANDIDATES]
    candidates = ", ".join(f"{each.slug} {each.score:.2f}" for each in likeliest) or _NONE
    answered = f" ({', '.join(miss.answered)})" if miss.answered else ""
    return "\n".join(
        chain(
            [f"{_FAULTS[miss.fault]} [{miss.kind}]: {miss.text}"],
            [f"  верно: {', '.join(miss.labels) or 'не наш вопрос'}"],
            [f"  решение: {miss.decision}{answered}, уверенность {miss.confidence:.2f}"],
            [f"  кандидаты: {candidates}"],
            [f"  прочитано: {miss.text_read or _NONE}"],
        )
    )
