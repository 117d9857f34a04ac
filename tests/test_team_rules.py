"""A team's own rules: how they are written, loaded from a workspace, refused, and tested."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from analysis.errors import InvalidInput
from label_rules.apply import apply_rules
from label_rules.builtin import BUILTIN_RULES
from label_rules.examples import example_failures
from label_rules.rule import Rule
from label_rules.team import Abstention, Corpus, Example, Finding, Found, rule, specification_problems
from tests.test_cli import run
from tests.test_verdicts import TEXTS, workspace_of
from workbench.config import config_text
from workbench.errors import BadInput
from workbench.stages.bare import check_file
from workbench.stages.check import check
from workbench.stages.import_hypotheses import import_hypotheses
from workbench.stages.rules import rule_page, rules_table
from workbench.stages.team_rules import load_rules
from workbench.workspace import Workspace

GOOD = """\
from label_rules.team import Found, rule

@rule("team.now", reason="Nobody says now.", fires=["the weather now"], passes=["the weather"])
def now(text):
    if "now" in text:
        yield Found(text.index("now"), len(text), "now", suggestion=text.replace("now", "today"))
"""


def with_rules(root: Path, source: str | None, settings: str = 'rules = ["ours.py"]') -> Workspace:
    if source is not None:
        root.mkdir(exist_ok=True)
        (root / "ours.py").write_text(source, encoding="utf-8")
    toml = config_text("w", "en", 0.2).split("[check]")[0] + f"[check]\n{settings}\n"
    return workspace_of(root, TEXTS, toml)


def frame(*texts: str, **columns: object) -> pd.DataFrame:
    ids = [f"u{number}" for number in range(len(texts))]
    return pd.DataFrame({"utterance_id": ids, "annotator": "ann_a", "text": list(texts)} | columns)


# -- writing rules


def test_a_function_of_a_text_is_a_rule() -> None:
    @rule("team.shout", reason="It hurts.", fires=["GO ON"], passes=["go on"])
    def shout(text: str):  # type: ignore[no-untyped-def]
        if text.isupper():
            yield Found(0, len(text), "in capitals", text.lower(), 0.7)

    assert isinstance(shout, Rule)
    assert specification_problems(shout) == []
    assert example_failures(shout) == []
    (found,) = apply_rules(frame("STOP IT", "stop it"), [shout]).flags.to_dict("records")
    assert (found["utterance_id"], found["suggestion"], found["score"]) == ("u0", "stop it", 0.7)


def test_matches_and_booleans_are_findings_too() -> None:
    import re

    matches = rule("team.a")(lambda text: re.finditer("x", text))
    whole = rule("team.b")(lambda text: text == "axx")
    flags = apply_rules(frame("axx", "b"), [matches, whole]).flags
    assert list(zip(flags["rule_id"], flags["start"], flags["end"], strict=True)) == [
        ("team.a", 1, 2),
        ("team.a", 2, 3),
        ("team.b", 0, 3),
    ]


def test_a_function_of_the_corpus_is_a_rule_and_abstains_where_its_needs_are_not_met() -> None:
    @rule(
        "team.heard",
        reason="The model hears it.",
        needs=["transcripts", "hypotheses"],
        fires=[Example(("a",), (0,), columns={"hypothesis": ("b",)})],
        passes=["a"],
    )
    def heard(corpus: Corpus):  # type: ignore[no-untyped-def]
        for row, text in enumerate(corpus.hypotheses):
            if text is None:
                yield Abstention([row])
            elif text != corpus.text(row):
                yield Finding([row], 0, 1, 1.0, "differs")

    assert example_failures(heard) == []
    assert apply_rules(frame("a", "b"), [heard]).summary["abstained"].tolist() == [2]
    assert apply_rules(frame("a", "b", hypothesis=["a", None]), [heard]).summary["abstained"].tolist() == [1]


def test_without_parentheses_says_what_to_write() -> None:
    with pytest.raises(InvalidInput, match=r'without parentheses.*@rule\("team\.shout", reason='):

        @rule  # type: ignore[arg-type]
        def shout(text: str) -> None: ...


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"rule_id": "Shout"}, "expected family.name"),
        ({"reason": ""}, "expected one sentence"),
        ({"severity": "bad"}, "expected harmful"),
        ({"fires": []}, "no example that fires"),
        ({"passes": [3]}, "not all texts or Example"),
        ({"needs": ["hypothesis"]}, "known are transcripts, hypotheses"),
    ],
)
def test_what_a_rule_lacks_is_named(changes: dict[str, object], says: str) -> None:
    given = {"rule_id": "team.a", "reason": "It is.", "fires": ["x"], "passes": ["y"]} | changes
    made = rule(given.pop("rule_id"), **given)(lambda text: "x" in text)  # type: ignore[arg-type]
    (problem,) = specification_problems(made)
    assert says in problem


def test_a_rule_that_yields_something_else_is_a_fault_that_says_so() -> None:
    odd = rule("team.odd")(lambda text: ["x"])
    assert "expected Found(start, end, evidence)" in apply_rules(frame("a"), [odd]).faults["reason"][0]
    outside = rule("team.out")(lambda text: Found(0, 9, "here"))
    assert "characters 0 to 9 in a text of 1" in apply_rules(frame("a"), [outside]).faults["reason"][0]


# -- loading them


def test_a_workspace_checks_by_its_own_rules_and_says_so(tmp_path: Path) -> None:
    workspace = with_rules(tmp_path, GOOD)
    outcome = check(workspace)
    assert len(outcome.faults) == 0
    assert "rules of ours.py were run" in outcome.notes
    flags = workspace.read("flags").query("rule_id == 'team.now'")
    assert set(flags["suggestion"]) == {"um  the weather today"}
    assert not list(tmp_path.rglob("__pycache__"))
    without = check(workspace, team=False)
    assert "team.now" not in set(without.table["rule_id"])
    assert "not run: rules of ours.py" in without.notes


@pytest.mark.parametrize(
    ("source", "place", "says"),
    [
        (None, "ours.py", "no such file is there"),
        ("x = (\n", "ours.py:1", "SyntaxError"),
        ("\nimport no_such_thing\n", "ours.py:2", "No module named 'no_such_thing'"),
        ("exit(3)\n", "ours.py:1", "SystemExit"),
        ("x = 1\n", "ours.py", "it holds no rule"),
        (GOOD + GOOD.replace("def now", "def again"), "ours.py:9", "ours.py:3 has this id too"),
        (GOOD.replace("team.now", "conflict.filler"), "ours.py:3", "a built-in rule has this id"),
        (GOOD.replace('passes=["', 'passes=["now '), "ours.py:3", "expected none flagged, found text 1 flagged"),
        (GOOD.replace('fires=["the weather now"], ', ""), "ours.py:3", "no example that fires"),
        (GOOD.replace("if ", "1 / 0\n    if "), "ours.py:3", "ZeroDivisionError"),
        (GOOD.split("@")[0] + "@rule\ndef now(text): ...\n", "ours.py:3", "without parentheses"),
    ],
)
def test_what_is_wrong_with_a_file_is_a_fault_with_file_and_line_and_the_rest_goes_on(
    tmp_path: Path, source: str | None, place: str, says: str
) -> None:
    loaded = load_rules(with_rules(tmp_path, source))
    assert len(loaded.rules) >= len(BUILTIN_RULES)
    (fault,) = loaded.faults
    assert fault["location"].endswith(place)
    assert says in fault["reason"]


def test_one_broken_rule_does_not_stop_its_neighbour(tmp_path: Path) -> None:
    broken = GOOD.replace("team.now", "team.broken").replace("def now", "def broken").replace('"Nobody', '"nobody. B')
    loaded = load_rules(with_rules(tmp_path, broken + GOOD))
    assert [one.rule_id for one in loaded.rules][-1] == "team.now"
    assert [fault["item"] for fault in loaded.faults] == ["team.broken"]


def test_a_file_outside_the_workspace_is_not_run(tmp_path: Path) -> None:
    (tmp_path / "outside.py").write_text("raise SystemExit", encoding="utf-8")
    workspace = with_rules(tmp_path / "w", "", 'rules = ["../outside.py"]')
    with pytest.raises(BadInput, match="lies outside"):
        load_rules(workspace)
    (tmp_path / "w" / "ours.py").unlink()
    (tmp_path / "w" / "ours.py").symlink_to(tmp_path / "outside.py")
    inside = Workspace(workspace.root, with_rules(tmp_path / "v", None).config)
    with pytest.raises(BadInput, match="lies outside"):
        load_rules(inside)


def test_rules_and_families_are_disabled_and_a_wrong_name_is_a_fault(tmp_path: Path) -> None:
    settings = 'rules = ["ours.py"]\ndisable = ["team", "conflict.filler", "conventoin"]'
    loaded = load_rules(with_rules(tmp_path, GOOD, settings))
    ids = {one.rule_id for one in loaded.rules}
    assert not ids & {"team.now", "conflict.filler"}
    assert "conflict.content" in ids
    assert [fault["reason"] for fault in loaded.faults] == ["no rule or family is so named; did you mean 'convention'?"]


# -- looking at them


def test_rules_are_listed_with_what_they_need(tmp_path: Path) -> None:
    table = rules_table(with_rules(tmp_path, GOOD, 'rules = ["ours.py"]\ndisable = ["timing"]')).table
    table = table.set_index("rule_id")
    assert table.loc["team.now", "where"].endswith("ours.py:3")
    assert table.loc["model.disagrees", "needs"] == "transcripts, hypotheses"
    assert not table.loc["timing.rate", "enabled"]
    assert table.loc["team.now", "enabled"]


def test_one_rule_is_shown_with_its_examples() -> None:
    shown = rule_page(None, "conflict.filler")
    assert shown.table["flagged"].any()
    with pytest.raises(BadInput, match=r"did you mean 'conflict\.filler'"):
        rule_page(None, "conflict.fillers")


def test_the_test_of_all_rules_names_expected_and_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with_rules(tmp_path, GOOD.replace('passes=["', 'passes=["now '))
    # The built-in rules' examples are tests of their own.
    monkeypatch.setattr("label_rules.builtin.BUILTIN_RULES", BUILTIN_RULES[:2])
    code, out, err = run(capsys, monkeypatch, "rules", "test", "-w", tmp_path, "--format", "json")
    assert code == 1
    assert '"expected": "none flagged"' in out
    assert '"found": "text 1 flagged"' in out
    assert "1 not kept" in err


# -- files


def test_bad_rows_of_a_file_are_faults_and_columns_reach_the_rules(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    header = "utterance_id,annotator,text,speech_seconds,hypothesis,hypothesis_b,confidence_b\n"
    rows = ["u1,ann_a,hello there,30,hello there,hi,0.5", ",ann_a,lost,1,,,", "u3,ann_a,hello,many,,,"]
    path.write_text(header + "\n".join(rows) + "\n", encoding="utf-8")
    checked = check_file(path)
    assert [fault["location"] for fault in checked.flags.faults.to_dict("records")] == [f"{path}:3"]
    assert "timing.rate" in set(checked.flags.table["rule_id"])
    assert checked.summary.table.set_index("rule_id").loc["timing.rate", "abstained"] == 1


def test_bad_rows_of_hypotheses_are_faults(tmp_path: Path) -> None:
    workspace = with_rules(tmp_path / "w", GOOD)
    path = tmp_path / "h.csv"
    path.write_text("utterance_id,hypothesis\nu1,the weather\n,lost\nu9,unknown\n", encoding="utf-8")
    outcome = import_hypotheses(workspace, path, "cloud", "cloud")
    assert outcome.counts["hypotheses"] == 1
    assert sorted(outcome.faults["location"]) == [str(path), f"{path}:3"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("raise SystemExit(0)", "it called exit(0)"),
        ("yield Found(0, 1, 'now', score=float('nan'))", "the score nan"),
        ("yield Found(0, 1, 'now', suggestion=5)", "gave 5 as suggestion"),
        ("yield Found(0, 1, 'now', suggestion=chr(0xD800))", "surrogates not allowed"),
    ],
)
def test_what_no_table_can_hold_is_a_fault_of_its_rule_alone(tmp_path: Path, line: str, reason: str) -> None:
    source = GOOD.replace("        yield Found(", f"        if 'um' in text:\n            {line}\n        yield Found(")
    outcome = check(with_rules(tmp_path, source))
    assert reason in outcome.faults["reason"].iloc[0]
    assert set(outcome.faults["item"]) == {"team.now"}
    assert outcome.table.set_index("rule_id")["flags"]["convention.spaces"]


def test_rows_and_characters_that_are_not_there_are_a_fault() -> None:
    for rows, end in (((7,), 1), ((0,), 70)):

        @rule("team.odd", reason="It is odd.", fires=["a"], passes=["b"])
        def odd(corpus, rows=rows, end=end):  # type: ignore[no-untyped-def]
            yield Finding(rows, 0, end, 0.5, "odd")

        applied = apply_rules(frame("go on"), [odd])
        assert applied.flags.empty
        assert "the rule found" in applied.faults["reason"][0]


def test_what_rules_print_does_not_mix_with_the_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = "print('loaded')\n" + GOOD.replace("    if ", "    print('asked')\n    if ")
    with_rules(tmp_path, source)
    for command in (["check"], ["rules"], ["rules", "test"], ["conventions"]):
        code, out, err = run(capsys, monkeypatch, *command, "-w", tmp_path, "--format", "json")
        assert (code, isinstance(json.loads(out), list)) == (0, True)
        assert "loaded" in err


@pytest.mark.parametrize("name", ["a\\u0000.py", "loop.py", "a" * 5000])
def test_what_is_no_path_is_refused(tmp_path: Path, name: str) -> None:
    workspace = with_rules(tmp_path, None, f'rules = ["{name}"]')
    (tmp_path / "loop.py").symlink_to("loop.py")
    with pytest.raises(BadInput, match="which is no path"):
        check(workspace)


def test_a_rule_that_cannot_be_read_at_all_is_a_fault(tmp_path: Path) -> None:
    source = GOOD + "\nfrom label_rules.team import Rule\nodd = Rule(5, 'Why.', 'style', None, fires=3, passes=None)\n"
    loaded = load_rules(with_rules(tmp_path, source))
    assert "the rule 5 cannot be read" in loaded.faults[0]["reason"]
    assert "team.now" in [one.rule_id for one in loaded.rules]


def test_a_table_that_is_there_is_not_asked_for(tmp_path: Path) -> None:
    workspace = with_rules(tmp_path, None, "rules = []")
    assert any("workbench transcribe" in note for note in check(workspace).notes)
    (tmp_path / "h.csv").write_text("utterance_id,text\nu1,the weather\n", encoding="utf-8")
    import_hypotheses(workspace, tmp_path / "h.csv", "r1", "m")
    assert not any("workbench transcribe" in note for note in check(workspace).notes)
