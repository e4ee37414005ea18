"""The command group: takes `--home H` at any place, before or after the command."""

import sys
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

from serving.settings import Settings

if TYPE_CHECKING:
    from serving.state import State


class RiskGroup(TyperGroup):
    """A typer group that accepts its `--home` option after the command too, as people write it both ways."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Moves `--home H` or `--home=H` to the front before click reads the line; nothing after `--` is touched."""
        home: list[str] = []
        rest: list[str] = []
        words = iter(args)
        for word in words:
            if word == "--":
                rest += [word, *words]
            elif word == "--home":
                home += [word, *[value for value in [next(words, None)] if value is not None]]
            elif word.startswith("--home="):
                home.append(word)
            else:
                rest.append(word)
        return super().parse_args(ctx, home + rest)


def asked(what: str, *, twice: bool = False) -> str:
    """A secret that the person types unseen, or a line of standard input."""
    if sys.stdin.isatty():
        answer: str = typer.prompt(what, hide_input=True, confirmation_prompt=twice)
        return answer
    return sys.stdin.readline().rstrip("\r\n")


def settings_of(ctx: typer.Context) -> Settings:
    """The settings that the top command put into the context."""
    found: Any = ctx.find_object(Settings)
    if found is None:
        raise RuntimeError("the command was called without its group")
    settings: Settings = found
    return settings


def state_of(settings: Settings) -> "State":
    """The working state, its tables brought to this version; a `with` gives its connections back."""
    from serving.state import open_state

    return open_state(settings.database_url)
