"""`workbench conventions`: the table, the guideline page, one form for all, and taking that back."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from workbench.cli import main
from workbench.config import config_text
from workbench.errors import BadInput
from workbench.stages.conventions import apply_convention, conventions, departures, undo_conventions
from workbench.stages.guidelines import write_guidelines
from workbench.stages.labels import set_label, undo_label
from workbench.transcripts import current_transcripts, revision
from workbench.workspace import Workspace

ROWS = [
    ("u1", "ann_a", "okay let us go"),
    ("u1", "ann_b", "OK let us go"),
    ("u2", "ann_a", "okay then"),
    ("u3", "ann_a", "that is okay"),
    ("u4", "ann_b", "Ok it's <b>5</b> $ | [so](http://x)"),
]


def workspace(path: Path, rows: list[tuple[str, str, str]] = ROWS, language: str = "en") -> Workspace:
    """A workspace with these transcripts."""
    made = Workspace.create(path, config_text("voice search", language, 0.2))
    ids = list(dict.fromkeys(row[0] for row in rows))
    made.append("utterances", pd.DataFrame({"utterance_id": ids, "recording": ids, "source": "here"}))
    made.append("transcripts", pd.DataFrame([revision(u, a, 1, text, "import") for u, a, text in rows]))
    return made


def texts(of: Workspace) -> dict[tuple[str, str], str]:
    """The current texts."""
    current = current_transcripts(of.read("transcripts"))
    return {(row.utterance_id, row.annotator): row.text for row in current.itertuples()}


def run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str | Path
) -> tuple[int, str, str]:
    monkeypatch.setattr("sys.argv", ["workbench", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    captured = capsys.readouterr()
    code = ended.value.code
    return (code if isinstance(code, int) else 0), captured.out, captured.err


def test_the_table_is_of_the_texts_as_they_are_now(tmp_path: Path) -> None:
    ours = workspace(tmp_path / "w")
    table = conventions(ours).table
    okay = table[table["convention"] == "spelling.okay"]
    assert okay[["form", "count", "annotators"]].to_numpy().tolist() == [["okay", 3, "ann_a"], ["ok", 2, "ann_b"]]
    set_label(ours, "u4", "ann_b", "okay", "ann_a", "misheard")
    table = conventions(ours).table
    assert table[table["convention"] == "spelling.okay"]["count"].tolist() == [4, 1]


def test_departures_are_listed_with_what_they_would_be(tmp_path: Path) -> None:
    found = departures(workspace(tmp_path / "w"), "spelling.okay").table
    assert found[["utterance_id", "start", "end", "written", "suggestion"]].to_numpy().tolist() == [
        ["u1", 0, 2, "ok", "OKAY let us go"],
        ["u4", 0, 2, "ok", "Okay it's <b>5</b> $ | [so](http://x)"],
    ]


def test_apply_adds_revisions_that_say_why_and_undo_takes_them_back_together(tmp_path: Path) -> None:
    ours = workspace(tmp_path / "w")
    before = texts(ours)
    done = apply_convention(ours, "spelling.okay", "ok", None, "ann_c", "shorter")
    assert done.counts["changed"] == 3
    assert texts(ours)["u2", "ann_a"] == "ok then"
    added = ours.read("transcripts", history=True).query("revision == 2")
    assert set(added["source"]) == {"rule"}
    assert set(added["author"]) == {"ann_c"}
    assert set(added["reason"]) == {"shorter"}
    batch = str(done.counts["batch"])
    assert all(detail.startswith("convention.spelling ") and batch in detail for detail in added["source_detail"])
    undone = undo_conventions(ours, batch, "ann_c")
    assert set(undone.table["outcome"]) == {"undone"}
    assert texts(ours) == before
    assert ours.read("transcripts", history=True)["revision"].max() == 3
    assert set(undo_conventions(ours, batch, "ann_c").table["outcome"]) == {"undone before"}
    assert texts(ours) == before


def test_a_dry_run_says_what_would_change_and_changes_nothing(tmp_path: Path) -> None:
    ours = workspace(tmp_path / "w")
    before = ours.read("transcripts", history=True)
    done = apply_convention(ours, "spelling.okay", None, None, "ann_c", "guideline", dry_run=True)
    assert done.table[["text", "new_text"]].to_numpy().tolist()[0] == ["OK let us go", "OKAY let us go"]
    assert done.counts == {"changed": 2, "left": 0, "batch": ""}
    assert len(ours.read("transcripts", history=True)) == len(before)


def test_what_was_edited_since_is_left_and_named(tmp_path: Path) -> None:
    ours = workspace(tmp_path / "w")
    batch = str(apply_convention(ours, "spelling.okay", "ok", None, "ann_c", "shorter").counts["batch"])
    set_label(ours, "u2", "ann_a", "ok then go", "ann_a", "a word was missing")
    undo_label(ours, "u3", "ann_a", "ann_a")
    outcome = undo_conventions(ours, batch, "ann_c")
    named = {(row.utterance_id, row.annotator): row.outcome for row in outcome.table.itertuples()}
    assert named == {("u1", "ann_a"): "undone", ("u2", "ann_a"): "changed since", ("u3", "ann_a"): "undone before"}
    assert texts(ours)["u2", "ann_a"] == "ok then go"
    assert texts(ours)["u3", "ann_a"] == "that is okay"
    # Taken back the edit, the batch's revision stands again and can be taken back too.
    undo_label(ours, "u2", "ann_a", "ann_a")
    assert undo_conventions(ours, batch, "ann_c").counts["undone"] == 1
    assert texts(ours)["u2", "ann_a"] == "okay then"


def test_of_two_batches_on_one_transcript_the_later_is_taken_back_first(tmp_path: Path) -> None:
    rows = [("u1", "ann_a", "um ok"), ("u2", "ann_a", "umm okay"), ("u3", "ann_a", "um so")]
    ours = workspace(tmp_path / "w", rows)
    first = str(apply_convention(ours, "spelling.okay", "ok", None, "ann_c", "shorter").counts["batch"])
    second = str(apply_convention(ours, "filler.um", "um", None, "ann_c", "one hesitation").counts["batch"])
    assert texts(ours)["u2", "ann_a"] == "um ok"
    assert undo_conventions(ours, first, "ann_c").counts["changed since"] == 1
    assert texts(ours)["u2", "ann_a"] == "um ok"
    assert undo_conventions(ours, second, "ann_c").counts["undone"] == 1
    assert undo_conventions(ours, first, "ann_c").counts["undone"] == 1
    assert texts(ours)["u2", "ann_a"] == "umm okay"


@pytest.mark.parametrize(
    ("convention", "form", "annotator", "says"),
    [
        ("spelling.okay", "okey", None, "nobody writes 'spelling.okay' as 'okey'"),
        ("spelling.yes", "yes", None, "a matter of 'spelling.yes'; there are spelling.okay"),
        ("nothing", None, None, "not written in several ways"),
        ("spelling.okay", "ok", "ann_z", "nobody is called 'ann_z'; the annotators are ann_a, ann_b"),
        ("contraction", "full", None, "only the audio says"),
    ],
)
def test_apply_refuses_in_words(
    convention: str, form: str | None, annotator: str | None, says: str, tmp_path: Path
) -> None:
    ours = workspace(tmp_path / "w", [*ROWS, ("u5", "ann_a", "it is me")])
    with pytest.raises(BadInput, match=says):
        apply_convention(ours, convention, form, annotator, "ann_c", "because")
    assert ours.read("transcripts", history=True)["revision"].max() == 1


def test_apply_needs_a_reason_and_undo_a_known_batch(tmp_path: Path) -> None:
    ours = workspace(tmp_path / "w")
    with pytest.raises(BadInput, match="--reason must say why"):
        apply_convention(ours, "spelling.okay", "ok", None, "ann_c", " ")
    with pytest.raises(BadInput, match="no batch 'ffffffff'; none was applied yet"):
        undo_conventions(ours, "ffffffff", "ann_c")


def test_what_cannot_be_rewritten_safely_is_left_and_counted(tmp_path: Path) -> None:
    rows = [("u1", "ann_a", "it is over."), ("u2", "ann_a", "we go."), ("u3", "ann_a", "is it"), ("u4", "ann_a", "so")]
    done = apply_convention(workspace(tmp_path / "w", rows), "final_punctuation", "with", None, "ann_c", "full stops")
    assert (done.counts["changed"], done.counts["left"]) == (1, 1)
    assert done.table[["text", "new_text"]].fillna("").to_numpy().tolist() == [["is it", ""], ["so", "so."]]


@pytest.mark.parametrize("name", ["GUIDELINES.md", "guidelines.html"])
def test_the_page_escapes_what_stands_in_transcripts(name: str, tmp_path: Path) -> None:
    rows = [(f"u{n}", "ann_a", "okay <script>alert(1)</script> *now*") for n in range(4)]
    hostile = ("u9", "<img src=x onerror=alert(2)>", "OK <script>alert(3)</script> [x](javascript:1) | \u202e")
    page = tmp_path / name
    write_guidelines(workspace(tmp_path / "w", [*rows, hostile]), page)
    text = page.read_text(encoding="utf-8")
    assert "okay" in text
    assert "&lt;script&gt;alert(3)" in text
    assert "<script" not in text
    assert "<img" not in text
    assert "\u202e" not in text
    if name.endswith(".md"):
        assert "\\[x\\](javascript:1) \\|" in text
    else:
        assert "default-src &#39;none&#39;" in text


def test_the_page_says_what_to_write_what_not_and_what_is_undecided(tmp_path: Path) -> None:
    rows = [*ROWS[:4], ("u5", "ann_b", "Okay my email is"), ("u6", "ann_b", "my e-mail is")]
    page = tmp_path / "GUIDELINES.md"
    write_guidelines(workspace(tmp_path / "w", rows), page)
    text = page.read_text(encoding="utf-8")
    assert "# Transcription guidelines: voice search" in text
    assert "Made from 6 transcripts by 2 annotators" in text
    assert "- Write **okay**, not ok — 80.0\u202f% of 5 uses" in text
    assert "    - Wrong: OK let us go\n      Right: OKAY let us go" in text
    undecided = text[text.index("## Decisions to make") :]
    assert "workbench conventions apply phrase.email --form e-mail --all" in undecided


def test_the_page_of_a_korean_workspace_is_in_korean(tmp_path: Path) -> None:
    rows = [(f"u{n}", "ann_a", f"{word} 수 있다") for n, word in enumerate(("할", "갈", "볼", "들을"))]
    for name in ("g.md", "g.html"):
        page = tmp_path / name
        path = tmp_path / f"w-{name}"
        write_guidelines(workspace(path, [*rows, ("u9", "ann_b", "먹을수 있다")], language="ko"), page)
        text = page.read_text(encoding="utf-8")
        assert "전사 지침" in text
        assert "의존 명사와 보조 용언의 띄어쓰기" in text
        assert "띄어 씀" in text
        assert "먹을 수 있다" in text
        assert "Write" not in text


def test_a_page_of_somebody_else_is_never_written_over(tmp_path: Path) -> None:
    ours = workspace(tmp_path / "w")
    page = tmp_path / "GUIDELINES.md"
    page.write_text("# Ours, by hand\n", encoding="utf-8")
    with pytest.raises(BadInput, match="is no page of this command"):
        write_guidelines(ours, page)
    assert page.read_text(encoding="utf-8") == "# Ours, by hand\n"
    with pytest.raises(BadInput, match=r"\.md or \.html"):
        write_guidelines(ours, tmp_path / "page.pdf")
    other = tmp_path / "made.md"
    write_guidelines(ours, other)
    write_guidelines(ours, other)


def test_the_command_on_a_file_and_in_a_workspace(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "t.csv"
    pd.DataFrame(ROWS, columns=["utterance_id", "annotator", "text"]).to_csv(path, index=False)
    code, out, err = run(capsys, monkeypatch, "conventions", path, "--format", "json")
    assert code == 0
    assert {"convention": "spelling.okay", "form": "ok", "count": 2, "share": 0.4, "majority": False,
            "annotators": "ann_b"} in json.loads(out)  # fmt: skip
    assert "5 things are written in several ways in 5 transcripts" in err
    ours = workspace(tmp_path / "w")
    monkeypatch.chdir(ours.root)
    assert run(capsys, monkeypatch, "conventions", "--page", "G.md")[:2] == (0, "G.md\n")
    code, out, err = run(capsys, monkeypatch, "conventions", "--departures", "spelling.okay", "--format", "csv")
    assert (code, out.splitlines()[1][:11]) == (0, "u1,ann_b,0,")
    applying = ("conventions", "apply", "spelling.okay", "--reason", "guideline")
    code, out, err = run(capsys, monkeypatch, *applying)
    assert (code, out) == (2, "")
    assert "--annotator NAME or --all" in err
    code, out, err = run(capsys, monkeypatch, *applying, "--all")
    assert code == 0
    batch = err.split("workbench conventions undo ")[1].split()[0]
    code, out, err = run(capsys, monkeypatch, "conventions", "undo", batch)
    assert code == 0
    assert "2 transcripts have their text of before again" in err
    assert texts(ours) == {(u, a): text for u, a, text in ROWS}


def test_conventions_of_the_team_are_counted_and_applied_too(tmp_path: Path) -> None:
    ours = workspace(tmp_path / "w")
    (ours.root / "ours.py").write_text(
        "from label_rules.conventions.convention import Use, convention_check, each_replaced\n"
        "from label_rules.rule import Example, Rule\n"
        "def ways(text):\n"
        "    for word in ('let us', 'lets'):\n"
        "        if word in text:\n"
        "            yield Use('ours.go', word, text.index(word), text.index(word) + len(word))\n"
        "RULE = Rule('convention.ours', 'We write it in one way.', 'style',\n"
        "    convention_check(ways, each_replaced(lambda written, form: form)),\n"
        "    fires=(Example(('let us a', 'let us b', 'let us c', 'lets d'), (3,)),), passes=(Example(('a',)),))\n",
        encoding="utf-8",
    )
    config = ours.root / "workbench.toml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("\nrules = []", '\nrules = ["ours.py"]'), encoding="utf-8")
    ours = Workspace.open(ours.root)
    set_label(ours, "u2", "ann_a", "lets go", "ann_a", "misheard")
    found = conventions(ours)
    assert found.faults.empty
    assert found.table.query("convention == 'ours.go'")["form"].tolist() == ["let us", "lets"]
    write_guidelines(ours, tmp_path / "g.md")
    assert "### ours" in (tmp_path / "g.md").read_text(encoding="utf-8")
    apply_convention(ours, "ours.go", "let us", None, "ann_c", "guideline")
    assert texts(ours)["u2", "ann_a"] == "let us go"
