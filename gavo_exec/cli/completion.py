"""``completion``: what lets a shell complete commands, options, keys and files."""

import click

from gavo_exec.cli.exits import DONE
from gavo_exec.cli.options import examples

COMPLETE_VARIABLE = "_GAVO_EXEC_COMPLETE"


@click.command(
    "completion",
    epilog=examples("gavo-exec completion bash > ~/.local/share/bash-completion/completions/gavo-exec"),
)
@click.argument("shell", type=click.Choice(["bash", "fish", "zsh"]))
def completion_command(*, shell: str) -> int:
    """Print the script that lets a shell complete what is typed after gavo-exec: commands, options, keys.

    For bash it goes into ~/.local/share/bash-completion/completions/gavo-exec, for fish into
    ~/.config/fish/completions/gavo-exec.fish, for zsh into a file _gavo-exec in a folder of $fpath.
    """
    from click.shell_completion import get_completion_class

    from gavo_exec.cli.app import group

    found = get_completion_class(shell)
    assert found is not None  # noqa: S101 -- click has all three
    completer = found(group, {}, "gavo-exec", COMPLETE_VARIABLE)
    # Not its source(), which looks whether such a shell is installed here.
    print(completer.source_template % completer.source_vars())
    return DONE
