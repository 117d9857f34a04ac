"""Groups of commands of which one need not be named."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup


def group_with_default(name: str) -> type[TyperGroup]:
    """A group for `typer.Typer(cls=…)` that takes what is no command's name as arguments of the command `name`."""

    class WithDefault(TyperGroup):
        def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
            if not args or (args[0] not in self.commands and args[0] != "--help"):
                args = [name, *args]
            return super().parse_args(ctx, args)

    return WithDefault
