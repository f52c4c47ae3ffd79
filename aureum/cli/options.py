"""What commands have in common: options, the look of a group, and the examples below their help.

A file of commands imports at its top only what declares them: typer, this, ``cli_output``, ``operator``, errors, ids.
What a command works with (settings, the database, HTTP) it imports when it runs, so that ``--help`` and the completion
of a shell take no second of imports.
"""

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Slug = Annotated[str, typer.Option("--brokerage", help="The brokerage's slug.")]
OneOrAll = Annotated[
    str | None, typer.Option("--brokerage", help="The slug of one brokerage. Default: all brokerages.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")]
"""Of commands that ask first, since what they do cannot be undone. ``cli_output.confirm`` asks."""


class Group(TyperGroup):
    """A group whose ``--help`` is off unless it is asked for. typer's own is neither on nor off, to settle which it
    imports pydantic: half of what the help of a command takes."""

    def get_help_option(self, ctx: Any) -> Any:
        option = super().get_help_option(ctx)
        if option is not None:
            option.default = False
        return option


def group(help: str, *, epilog: str | None = None) -> typer.Typer:
    """A group of commands."""
    return typer.Typer(
        cls=Group,
        no_args_is_help=True,
        add_completion=False,  # cli_completion.py has it
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        help=help,
        epilog=epilog,
    )


def examples(*lines: str) -> str:
    """The end of a command's help: command lines that can be copied. Long ones are broken with a backslash."""
    # \b: typer leaves the paragraph's lines as they are.
    return "\n".join(("\b", "Example:" if len(lines) == 1 else "Examples:", *(f"  {line}" for line in lines)))
