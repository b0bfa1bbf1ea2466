"""Logs for operators: what happened and where, never what people wrote, their names, phones or tokens."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog

_NEVER = {"text", "name", "phone", "token", "secret", "body", "url"}


def set_up(*, level: str, form: str) -> None:
    """Send structured lines to standard error, as text or as JSON."""
    renderer: Any = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    if form == "json":
        renderer = structlog.processors.JSONRenderer(ensure_ascii=False)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _hide,
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        # Whatever standard error is at the moment of writing: it may be replaced while we run.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
    # Libraries may put addresses with tokens, or whole messages, into their own lines.
    logging.basicConfig(
        level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s"
    )
    for talkative in (
        "aiogram",
        "vkbottle",
        "httpx",
        "aiohttp.access",
        "uvicorn.access",
        "sqlalchemy.engine",
    ):
        logging.getLogger(talkative).setLevel(logging.CRITICAL)
    logging.getLogger("apscheduler").setLevel(logging.ERROR)


def _hide(_logger: Any, _method: str, event: Any) -> Any:
    for key in _NEVER & event.keys():
        event[key] = "…"
    return event
