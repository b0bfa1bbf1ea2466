"""What all commands share: settings, errors in one sentence, an asyncio door."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn, TypeVar

import typer

from bot import logs, settings
from bot.settings import Settings, SettingsError

BAD_INPUT, FAILURE = 2, 1
T = TypeVar("T")


def load_settings(*, quiet: bool = True) -> Settings:
    """The settings, with logging set up; a wrong setting ends the command. `quiet` logs only errors."""
    with told():
        loaded = settings.load()
    logs.set_up(level="ERROR" if quiet else loaded.log_level, form=loaded.log_format)
    return loaded


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run asynchronous work to its end."""
    return asyncio.run(work)


def fail(sentence: str, code: int = BAD_INPUT) -> NoReturn:
    """End with one sentence on standard error."""
    typer.echo(sentence, err=True)
    raise typer.Exit(code)


@contextmanager
def told() -> Iterator[None]:
    """Turn the errors that operators can mend into one sentence and an exit code."""
    from bot.opening import StartError
    from faq.content.loading import BaseError
    from faq.content.region import RegionError
    from handlers.errors import HelpdeskError
    from storage.database import BadAddress, TooNew, Unavailable

    try:
        yield
    except (SettingsError, BaseError, RegionError) as error:
        fail(str(error), BAD_INPUT)
    except BadAddress as error:
        fail(f"Настройка HELPDESK_DATABASE_URL: {error}.", BAD_INPUT)
    except HelpdeskError as error:
        fail(str(error), BAD_INPUT)
    except StartError as error:
        fail(str(error), FAILURE)
    except TooNew as error:
        fail(f"Таблицы базы данных новее программы ({error}): обновите программу.", FAILURE)
    except Unavailable as error:
        fail(f"База данных недоступна: {error}. Проверьте HELPDESK_DATABASE_URL и права на файл.", FAILURE)
    except KeyboardInterrupt:
        sys.stderr.write("\n")
        raise typer.Exit(130) from None
