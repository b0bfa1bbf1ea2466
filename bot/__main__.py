"""The command line: `helpdesk`, the same as `python -m bot`."""

from __future__ import annotations

import typer

from bot.commands import campaign, schools, staff, talk, upkeep
from bot.commands.faq import app as faq

app = typer.Typer(
    help="Помощник родителей по входу в электронный дневник.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("run")(upkeep.serve)
app.command("chat")(talk.chat)
app.command("ask")(talk.ask)
app.add_typer(faq, name="faq")
app.add_typer(schools.app, name="schools")
app.add_typer(staff.app, name="staff")
app.add_typer(campaign.app, name="campaign")
app.command("migrate")(upkeep.migrate)
app.command("doctor")(upkeep.doctor)
app.command("forget")(upkeep.forget)


def main() -> None:
    """Run the command that was typed."""
    app()


if __name__ == "__main__":
    main()
