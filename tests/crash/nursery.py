"""Gives birth to helpdesks quickly: libraries and the index are loaded once, each child is a real process.

A cold start costs seconds of imports, and a test that kills fifty times would measure little else. A line
of standard input is a birth (JSON: env, folder, log) or the number of a dead child to be buried; the answer
is a line with the child's number.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import importlib
import json
import os
import signal
import sys
import traceback
from typing import Any

from bot.app import running
from bot.commands.common import load_settings
from faq.content.loading import packaged_base
from faq.content.region import load_region
from handlers.knowledge import Knowledge

PR_SET_PDEATHSIG = 1  # prctl(2): the signal for us when the parent dies
READY = "ready"


def main() -> None:
    """Serve the lines of standard input until it ends."""
    for channel in ("bot.channels.telegram", "bot.channels.vk"):
        importlib.import_module(channel)
    knowledge = Knowledge(packaged_base(), load_region("adygea"))
    knowledge.build_index()
    gc.collect()
    gc.freeze()
    _tell(READY)
    for line in sys.stdin:
        request = json.loads(line)
        if isinstance(request, int):
            os.waitpid(request, 0)
            _tell(request)
        else:
            _tell(_bear(request, knowledge))


def _tell(answer: object) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def _bear(request: dict[str, Any], knowledge: Knowledge) -> int:
    number = os.fork()
    if number:
        return number
    try:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        _settle(request)
        asyncio.run(_serve(knowledge))
    except BaseException:
        # Nothing may escape into the parent's loop that this child is a copy of.
        traceback.print_exc()
    sys.stderr.flush()
    os._exit(1)


def _settle(request: dict[str, Any]) -> None:
    """Become a process that was started in its own folder with its own environment and log."""
    os.chdir(request["folder"])
    os.environ.update(request["env"])
    log = os.open(request["log"], os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)


async def _serve(knowledge: Knowledge) -> None:
    """The same as `helpdesk run`, with an index that is there already."""
    async with running(load_settings(quiet=False), knowledge=knowledge):
        await asyncio.Event().wait()


if __name__ == "__main__":
    main()
