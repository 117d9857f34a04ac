"""The rules that check a workspace: those that come with the library, and those of the team's own files.

A file of rules is code, which runs with the rights of whoever checks. Only files that `[check] rules` in workbench.toml
names are loaded, and only from inside the workspace; every check says which. What cannot be used of them is a fault,
and the other rules run.
"""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import sys
import traceback
import types
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.errors import BadInput

if TYPE_CHECKING:
    from label_rules.rule import Rule
    from workbench.workspace import Workspace

STAGE = "check"


@dataclass
class LoadedRules:
    """The rules to apply, all of them with the disabled ones, the files that were run, and what cannot be used."""

    rules: list[Rule]
    known: list[Rule]
    files: list[str] = field(default_factory=list)
    faults: list[dict[str, str]] = field(default_factory=list)
    broken: list[Rule] = field(default_factory=list)
    "Rules of the team that are left out, for what `faults` says."


@contextlib.contextmanager
def prints_aside() -> Iterator[None]:
    """While a team's rules run, what they print goes to standard error: standard output holds the tables."""
    with contextlib.redirect_stdout(sys.stderr):
        yield


@prints_aside()
def load_rules(workspace: Workspace | None, team: bool = True) -> LoadedRules:
    """The built-in rules and the team's, without those that `[check] disable` names; built-in ones for no workspace.

    Args:
        team: run the files of rules that workbench.toml names.

    Raises:
        BadInput: a file of rules lies outside the workspace.
    """
    from label_rules.builtin import BUILTIN_RULES

    loaded = LoadedRules([], list(BUILTIN_RULES))
    if workspace is not None and team:
        for name in workspace.config.check.rules:
            _add_file(loaded, workspace.root, name)
    disable = workspace.config.check.disable if workspace is not None else []
    loaded.rules = _enabled(loaded, disable, team)
    return loaded


def _add_file(loaded: LoadedRules, root: Path, name: str) -> None:
    try:
        path = (root / name).resolve()
        is_file = path.is_file()
    except (OSError, RuntimeError, ValueError) as problem:
        fact = getattr(problem, "strerror", None) or problem
        raise BadInput(f"[check] rules names {name[:60]!r}, which is no path ({fact}); correct it") from problem
    if not path.is_relative_to(root.resolve()):
        raise BadInput(f"[check] rules names {name!r}, which lies outside {root}; a workspace runs its own files only")
    if not is_file:
        loaded.faults.append(_fault(name, str(path), "[check] rules names it, and no such file is there"))
        return
    try:
        module = _run(path)
        loaded.files.append(name)
    except KeyboardInterrupt:
        raise
    except BaseException as problem:
        loaded.faults.append(_fault(name, _place(path, problem), _said(problem)))
        return
    rules = list(_rules_in(module, loaded.known))
    if not rules:
        reason = "it holds no rule; write @rule(…) of label_rules.team over a function"
        loaded.faults.append(_fault(name, str(path), reason))
    for rule in rules:
        try:
            problems = _problems(rule, loaded.known)
        except Exception as problem:
            said = f"{type(problem).__name__}: {problem}"
            reason = f"the rule {rule.rule_id!r} cannot be read: {said}; write it with @rule(…) of label_rules.team"
            loaded.faults.append(_fault(name, str(path), reason))
            continue
        if not problems:
            loaded.known.append(rule)
            continue
        loaded.broken.append(rule)
        place = rule.where or str(path)
        loaded.faults.append(_fault(str(rule.rule_id), place, f"the rule is left out: {'; '.join(problems)}"))


def _run(path: Path) -> types.ModuleType:
    """The file as a module; no bytecode is written beside it."""
    name = f"workbench_team_rules_{hashlib.sha256(str(path).encode()).hexdigest()[:12]}"
    module = types.ModuleType(name)
    module.__file__ = str(path)
    program = compile(path.read_bytes(), str(path), "exec")
    # Dataclasses look their module up.
    sys.modules[name] = module
    try:
        exec(program, module.__dict__)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module


def _rules_in(module: types.ModuleType, known: Sequence[Rule]) -> Iterator[Rule]:
    """Its rules in their order, also those in lists; not those that it imports from the library."""
    from label_rules.rule import Rule

    library = {id(rule) for rule in known}
    seen: set[int] = set()
    for value in list(vars(module).values()):
        for rule in value if isinstance(value, list | tuple) else [value]:
            if isinstance(rule, Rule) and id(rule) not in library | seen:
                seen.add(id(rule))
                yield rule


def _problems(rule: Rule, known: Sequence[Rule]) -> list[str]:
    from label_rules.builtin import BUILTIN_RULES
    from label_rules.examples import example_failures
    from label_rules.team import specification_problems

    problems = specification_problems(rule)
    if any(rule.rule_id == other.rule_id for other in BUILTIN_RULES):
        problems.append("a built-in rule has this id; give it another, as team.…")
    else:
        of_this_id = [other for other in known if other.rule_id == rule.rule_id]
        problems += [f"the rule at {other.where or 'another place'} has this id too" for other in of_this_id]
    if problems:
        return problems
    return [
        f"its example {one.example}, {' | '.join(map(repr, one.texts))}: expected {one.expected}, found {one.found}"
        for one in example_failures(rule)
    ]


def _enabled(loaded: LoadedRules, disable: Sequence[str], team: bool) -> list[Rule]:
    """The rules whose id is not disabled, nor a family of theirs: `convention`, or `convention.filler`."""
    ids = [rule.rule_id for rule in [*loaded.known, *loaded.broken]]
    names = {".".join(parts[:end]) for parts in (i.split(".") for i in ids) for end in range(1, len(parts) + 1)}
    for name in disable:
        # A rule of a file that was not run is not known.
        if name not in names and team:
            near = difflib.get_close_matches(name, sorted(names), n=1)
            hint = f"did you mean {near[0]!r}?" if near else "`workbench rules` lists the rules"
            loaded.faults.append(
                _fault(name, "workbench.toml [check] disable", f"no rule or family is so named; {hint}")
            )
    return [rule for rule in loaded.known if not any(f"{rule.rule_id}.".startswith(f"{name}.") for name in disable)]


def _fault(item: str, location: str, reason: str) -> dict[str, str]:
    return {"stage": STAGE, "item": item, "location": location, "reason": reason}


def _place(path: Path, problem: BaseException) -> str:
    """The file and line at which it went wrong."""
    if isinstance(problem, SyntaxError) and problem.filename == str(path):
        return f"{path}:{problem.lineno}"
    lines = [frame.lineno for frame in traceback.extract_tb(problem.__traceback__) if frame.filename == str(path)]
    return f"{path}:{lines[-1]}" if lines else str(path)


def _said(problem: BaseException) -> str:
    message = problem.msg if isinstance(problem, SyntaxError) else " ".join(str(problem).split())
    return f"the file cannot be used: {type(problem).__name__}: {message}; its rules are left out"
