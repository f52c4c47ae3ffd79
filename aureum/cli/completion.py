"""Completion in a shell: ``aureum --show-completion`` and ``--install-completion``, for the shell in use or one that is
named behind. To complete a line, the shell runs ``aureum`` with ``_AUREUM_COMPLETE`` set. That reads no settings and
opens no database.
"""

import os
import sys

from aureum.cli.output import Refused

SHELLS = ("bash", "zsh", "fish")
SHOW, INSTALL = "--show-completion", "--install-completion"
VARIABLE = "_AUREUM_COMPLETE"

WHICH = f"Name a shell, one of: {', '.join(SHELLS)}. For example: aureum {{option}} bash"

AUTOLOADED = """
# zsh reads this when the first line is completed, which is this one.
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  _aureum_completion "$@"
fi
"""


def completed(arguments: list[str]) -> bool:
    """Whether *arguments* asked for completion, which was then shown or installed. Raises Refused.

    Options of typer cannot have a value that may be left out; so these are read here, before typer sees the arguments.
    """
    match arguments:
        case [("--show-completion" | "--install-completion") as option, *shells] if len(shells) < 2:
            pass
        case _:
            return False
    from typer._completion_shared import _get_shell_name, install

    shell = shells[0] if shells else _get_shell_name() or os.path.basename(os.environ.get("SHELL", ""))
    if shell not in SHELLS:
        raise Refused(WHICH.format(option=option))
    if option == SHOW:
        sys.stdout.write(script(shell))
    else:
        _, path = install(shell=shell, prog_name="aureum", complete_var=VARIABLE)
        path.write_text(script(shell))
        sys.stdout.write(f"Completion for {shell} is installed in {path}. Start a new shell to use it.\n")
    return True


def script(shell: str) -> str:
    """What *shell* reads to complete our commands."""
    from typer._completion_shared import get_completion_script

    text = get_completion_script(prog_name="aureum", complete_var=VARIABLE, shell=shell)
    return f"{text}\n{AUTOLOADED if shell == 'zsh' else ''}"


def prepare() -> None:
    """Let typer complete the line, if it is for this that a shell runs us."""
    if VARIABLE in os.environ:
        from typer._completion_classes import completion_init

        completion_init()
