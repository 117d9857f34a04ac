"""The report in its four forms: what each holds, what it does with hostile text, gaps and great length."""

from __future__ import annotations

import base64
import csv
import doctest
import hashlib
import importlib
import io
import json
import re
import string
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.report_sample import HOSTILE, OVERALL, SCRIPT, SLICES, empty, sample, slice_rows, table, write_wav
from workbench import tables
from workbench.report import clips, csv_tables, formats, label_views, markdown, views
from workbench.report.characters import isolated, plain, shown
from workbench.report.charts import axis_over, gain_axis, histogram, rate_axis
from workbench.report.csv_tables import csv_text, guarded, write_csv
from workbench.report.data import ReportData, Target, WorstUtterance
from workbench.report.files import write_whole
from workbench.report.highlight import highlight
from workbench.report.html_page import render_html
from workbench.report.json_document import document, write_json
from workbench.report.markdown import escaped, render_markdown
from workbench.report.writing import write_report


class Page(HTMLParser):
    """The page's elements with their attributes, its text by section, and the content of its style and script."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.sections: dict[str, str] = {}
        self.raw: dict[str, list[str]] = {"script": [], "style": []}
        self._section = ""
        self._raw: str | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "section":
            self._section = dict(attrs)["id"] or ""
        self._raw = tag if tag in self.raw else None

    def handle_endtag(self, tag: str) -> None:
        self._raw = None
        if tag in ("dt", "dd"):
            self.handle_data(" ")

    def handle_data(self, data: str) -> None:
        if self._raw:
            self.raw[self._raw].append(data)
        else:
            self.sections[self._section] = self.sections.get(self._section, "") + data

    def text(self, section: str) -> str:
        return " ".join(self.sections[section].split())

    def policy(self) -> str:
        metas = [attrs for tag, attrs in self.elements if tag == "meta"]
        return next(m["content"] or "" for m in metas if m.get("http-equiv") == "Content-Security-Policy")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> ReportData:
    return sample(tmp_path_factory.mktemp("clips"), hostile_title=True)


@pytest.fixture(scope="module")
def page(data: ReportData) -> Page:
    return Page(render_html(data))


# --- the page ------------------------------------------------------------------------------------------------------


def test_the_sections_stand_in_the_order_in_which_they_are_needed(page: Page) -> None:
    assert [attrs["id"] for tag, attrs in page.elements if tag == "section"] == [
        "headline",
        "backlog",
        "slices",
        "confusions",
        "conflicts",
        "suspects",
        "duplicates",
        "conventions",
        "audio",
        "worst",
        "rules",
        "planted",
        "faults",
        "made",
    ]


def test_hostile_text_makes_no_element_and_no_handler(page: Page) -> None:
    assert sum(tag == "script" for tag, _ in page.elements) == 1
    assert not [tag for tag, _ in page.elements if tag in ("img", "iframe", "object", "embed", "link", "form", "base")]
    assert not [name for _, attrs in page.elements for name in attrs if name.startswith("on") or name == "style"]
    assert page.raw["script"][0].startswith('"use strict"')


FREE_TEXT = (
    *("backlog", "slices", "confusions", "conflicts", "suspects", "duplicates"),
    *("conventions", "worst", "rules", "faults"),
)


def test_hostile_text_is_there_to_be_read(page: Page) -> None:
    for section in FREE_TEXT:
        assert SCRIPT in page.text(section), section
    assert "{{ 7*7 }} {% raw %} ${7*7}" in page.text("worst")


def test_the_page_needs_nothing_from_elsewhere(page: Page) -> None:
    targets = [attrs[name] or "" for _, attrs in page.elements for name in ("href", "src", "action") if name in attrs]
    assert targets
    assert all(target.startswith(("#", "data:audio/")) for target in targets)
    assert "url(" not in page.raw["style"][0]
    assert "@import" not in page.raw["style"][0]


def test_the_policy_allows_exactly_the_page_s_own_style_and_script(page: Page) -> None:
    policy = dict(part.strip().split(" ", 1) for part in page.policy().split(";"))
    for directive, kind in (("style-src", "style"), ("script-src", "script")):
        digest = hashlib.sha256("".join(page.raw[kind]).encode()).digest()
        assert policy[directive] == f"'sha256-{base64.b64encode(digest).decode()}'"
    assert policy["default-src"] == "'none'"
    assert policy["media-src"] == "data:"
    assert "unsafe" not in page.policy()


def test_the_headline_says_the_rates_and_the_targets_in_words(page: Page) -> None:
    text = page.text("headline").replace(formats.NARROW, " ")
    assert "23.4 % 95 % interval 21.1 % to 25.9 %" in text
    assert "Character error rate 11.2 %" in text
    assert "2 of 4 targets met, 1 not met, 1 not measured" in text
    assert "WER to optimise 23.4 % target 20.0 % Not met" in text
    assert "latency p90 only has to pass 0.83 s target 1 s Met" in text
    assert "latency p99 only has to pass – target 2 s Not measured" in text


def test_every_drawing_says_what_it_shows_or_is_hidden_from_readers(page: Page) -> None:
    drawings = [attrs for tag, attrs in page.elements if tag == "svg" and attrs.get("width") == "100%"]
    assert len(drawings) > len(SLICES)
    assert all(d.get("aria-hidden") == "true" or (d.get("role") == "img" and d.get("aria-label")) for d in drawings)
    labels = [(d.get("aria-label") or "").replace(formats.NARROW, " ") for d in drawings]
    assert "age_group = child: WER 56.1 %, 95 % interval 48.2 % to 63.4 %, 982 words" in labels


def test_invisible_and_direction_changing_characters_are_shown_by_their_code_point(data: ReportData) -> None:
    html = render_html(data)
    assert not [c for c in "\u202e\u202c\u200b\ufeff\x00\x1b" if c in html]
    assert "U+202E" in html


def test_nothing_missing_is_called_nan(page: Page) -> None:
    words = re.findall(r"\b(?:nan|NaN|None|NaT|<NA>)\b", " ".join(page.sections.values()))
    assert words == []


EMPTY = {
    "headline": "workbench transcribe && workbench score",
    "backlog": "workbench backlog",
    "slices": "workbench slices",
    "confusions": "workbench slices",
    "conflicts": "workbench check",
    "suspects": "workbench suspects",
    "duplicates": "workbench duplicates",
    "conventions": "workbench check",
    "audio": "workbench normalize",
    "worst": "workbench score",
    "rules": "workbench check",
    "faults": "Nothing was skipped.",
    "made": "workbench transcribe",
}


def test_an_empty_section_names_the_command_that_fills_it() -> None:
    page = Page(render_html(empty()))
    assert {section: EMPTY[section] in page.text(section) for section in EMPTY} == dict.fromkeys(EMPTY, True)
    assert "planted" not in page.sections


def test_no_conflict_after_a_check_is_told_from_no_check(data: ReportData) -> None:
    page = Page(render_html(replace(data, conflicts=tables.CONFLICTS.empty())))
    assert "all of them agree" in page.text("conflicts")


def test_long_tables_are_cut_and_say_where_the_rest_is() -> None:
    many = slice_rows([("room", f"room {i}", 3, 1, 40, 0.2, 0.1, 0.3) for i in range(450)])
    text = Page(render_html(replace(empty(), slices=many, overall=OVERALL))).text("slices")
    assert "First 200 of 450 slices; all in tables/slices.csv." in text
    assert "room 199" in text
    assert "room 200" not in text


def test_a_very_long_transcript_is_cut_on_the_page_only(tmp_path: Path) -> None:
    one = WorstUtterance("u", None, "말 " * 3000, "", 1.0, 3000, [("delete", "말", "")] * 3000)
    data = replace(empty(), worst=[one])
    text = Page(render_html(data)).text("worst")
    assert "… 2,700 words more" in text
    assert "… 4,000 characters more" in text
    assert document(data)["worst"][0]["reference"] == one.reference


def test_a_report_without_intervals_says_so() -> None:
    overall = OVERALL | {"wer_low": None, "wer_high": float("nan"), "speakers": None}
    text = Page(render_html(replace(empty(), overall=overall))).text("headline")
    assert "No 95 % interval" in text
    assert "Speakers –" in text


def test_parameters_that_are_not_json_are_shown_as_they_stand(data: ReportData) -> None:
    run = dict(data.run) | {"parameters": "not json", "library_versions": "[1, 2]"}
    text = Page(render_html(replace(data, run=run))).text("made")
    assert "as recorded not json" in text
    assert "as recorded 1, 2" in text


def test_the_most_suspect_transcript_comes_first_with_what_speaks_against_it(page: Page) -> None:
    text = page.text("suspects")
    assert "0.97 clip-0101 ann_c 불 켜 줘 the model heard “꺼” where the transcript has “켜”".replace(" ", "") in (
        text.replace(" ", "")
    )
    assert text.index("clip-0101") < text.index("clip-0666") < text.index("clip-0012")
    assert "clip-0700" not in text, "nothing to judge it by"
    assert "(empty)" in text


def test_the_page_stops_at_the_twenty_most_suspect() -> None:
    rows = [
        {"utterance_id": f"u{i}", "annotator": "a", "score": i / 50, "basis": "peers", "text": "x"} for i in range(50)
    ]
    text = Page(render_html(replace(empty(), suspects=table("suspects", rows)))).text("suspects")
    assert "First 20 of 50 transcripts; all in tables/suspects.csv." in text
    assert "u49" in text
    assert "u29" not in text


def test_copies_of_a_recording_stand_together_and_those_in_several_splits_first(data: ReportData, page: Page) -> None:
    found = label_views.duplicates_view(data)
    assert [[name for name, _ in group.members] for group in found.groups.rows] == [
        ["clip-0101", "clip-0388", "clip-0390"],
        sorted(["clip-0501", HOSTILE[0]]),
    ]
    assert (found.copies, found.across) == (3, 1)
    text = page.text("duplicates")
    assert "1 recording in several splits" in text
    assert "identical samples, re-encoded several splits" in text
    assert "clip-0600 train clip-0601 train" in text.replace("train", " train ").replace("  ", " ")


def test_the_precision_of_rules_is_shown_once_somebody_has_judged(data: ReportData, page: Page) -> None:
    text = page.text("rules").replace(formats.NARROW, " ")
    assert "80.0 %" in text
    assert "4 of 5" in text
    assert "37.6 % to 96.4 %" in text
    unjudged = data.rule_summary.assign(accepted=0, rejected=0, precision=float("nan"))
    assert "Precision" not in Page(render_html(replace(data, rule_summary=unjudged))).text("rules")


def test_rules_that_found_nothing_stand_apart(data: ReportData) -> None:
    view = label_views.rules_view(data)
    assert [row["rule_id"] for row in view.quiet] == ["audio.silence"]
    assert [row["flags"] for row in view.found.rows] == [61, 31, 7, 2]


def test_missing_ends_are_seen_among_many_conflicts_in_content() -> None:
    names = tables.CONFLICTS.names
    kinds = ["content"] * 60 + ["cut_off"] * 30
    rows = [
        dict(zip(names, (f"g{i}", f"u{i}", who, f"{i} {who}", kind, "same utterance"), strict=True))
        for i, kind in enumerate(kinds)
        for who in ("a", "b")
    ]
    view, _ = views.conflicts_view(replace(empty(), conflicts=table("conflicts", rows)))
    shown_kinds = [group.kinds[0] for group in view.rows]
    assert shown_kinds == ["cut_off"] * 20 + ["content"] * 20


# --- audio in the page ---------------------------------------------------------------------------------------------


def utterances(*paths: Path | None) -> list[WorstUtterance]:
    return [WorstUtterance(f"u{i}", None, "a", "b", 1.0, 1, [], path) for i, path in enumerate(paths)]


def test_clips_are_embedded_byte_for_byte(tmp_path: Path) -> None:
    wav = write_wav(tmp_path / "a.wav", 0.1)
    (clip,) = clips.embed(utterances(wav))
    assert clip.uri is not None
    kind, content = clip.uri.split(";base64,")
    assert kind == "data:audio/wav"
    assert base64.b64decode(content) == wav.read_bytes()


def test_what_cannot_be_played_has_a_reason_instead(tmp_path: Path) -> None:
    page = tmp_path / "page.wav"
    page.write_text("<html><script>alert(1)</script>")
    (tmp_path / "directory.wav").mkdir()
    found = clips.embed(utterances(None, page, tmp_path / "absent.wav", tmp_path / "directory.wav"))
    assert [clip.uri for clip in found] == [None] * 4
    assert [clip.note.split(":")[0] for clip in found] == [
        "no audio",
        "audio left out",
        "audio not readable",
        "audio not readable",
    ]


def test_clips_stop_at_the_number_and_the_bytes_that_a_page_may_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long, short = write_wav(tmp_path / "long.wav", 0.3), write_wav(tmp_path / "short.wav", 0.1)
    monkeypatch.setattr(clips, "MOST_BYTES", long.stat().st_size + 2 * short.stat().st_size)
    monkeypatch.setattr(clips, "MOST_CLIPS", 3)
    found = clips.embed(utterances(long, long, short, short, short))
    assert [clip.uri is not None for clip in found] == [True, False, True, True, False]


# --- text ----------------------------------------------------------------------------------------------------------


@given(st.text())
def test_shown_text_is_the_text_with_code_points_for_what_cannot_be_seen(text: str) -> None:
    text = text.replace("\r", "")
    page = Page("<section id=s>" + str(shown(text)))
    assert page.sections.get("s", "").replace("[", "").replace("]", "") == plain(text).replace("[", "").replace("]", "")
    assert {tag for tag, _ in page.elements} <= {"section", "span"}


@pytest.mark.parametrize("text", ["오늘 날씨 어때", "👩\u200d👩\u200d👧", "می\u200cخواهم", "naïve — “so”", "네"])
def test_what_scripts_and_emoji_need_is_left_alone(text: str) -> None:
    assert plain(text) == text


def test_the_language_reaches_the_text_only() -> None:
    assert isolated("ko", 5)("날씨") == '<bdi lang="ko">날씨</bdi>'
    assert isolated('"><script>', 5)("a") == '<bdi lang="&#34;&gt;&lt;script&gt;">a</bdi>'


MARKS = {"same": "{}", "differs": "[{}]", "gap": "^"}


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["Um, today's weather", "today's weather"], ["[Um, ]today's weather", "^today's weather"]),
        (["오늘 날씨 어때", "오늘날씨 어때"], ["오늘[ ]날씨 어때", "[오늘날씨] 어때"]),
        (["배터리 70% 남았어", "배터리 칠십 퍼센트 남았어"], ["배터리 [70%] 남았어", "배터리 [칠십 퍼센트] 남았어"]),
        (["a b c", "a x c", "a b c d"], ["a [b] c^", "a [x] c^", "a [b] c[ d]"]),
        (["yes", ""], ["[yes]", ""]),
        (["same"], ["same"]),
    ],
)
def test_differences_are_marked_where_they_are(texts: list[str], expected: list[str]) -> None:
    assert ["".join(MARKS[p.kind].format(p.text) for p in one) for one in highlight(texts)] == expected


@given(st.lists(st.text(alphabet="ab 가나.\n'", max_size=12), max_size=5))
def test_marking_changes_no_character(texts: list[str]) -> None:
    assert ["".join(piece.text for piece in one) for one in highlight(texts)] == texts


def test_equal_texts_stand_once_with_all_who_wrote_them(data: ReportData) -> None:
    view, kinds = views.conflicts_view(data)
    writers = {group.utterance_ids[0]: [who for who, _ in group.texts] for group in view.rows}
    assert writers["clip-0019"] == [["ann_a", "ann_c"], ["ann_d"]]
    assert writers["clip-0101"] == [["ann_c (clip-0101)"], ["ann_a (clip-0388)"]]
    assert kinds[0] == ("content", 2)


def test_conflicts_in_content_come_first(data: ReportData) -> None:
    view, _ = views.conflicts_view(data)
    assert ["content" in group.kinds for group in view.rows] == [True, True, *[False] * (len(view.rows) - 2)]


# --- numbers and drawings ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "value", "expected"),
    [
        (formats.rate, 0.2345, "23.4 %"),
        (formats.rate, 0.0, "0.0 %"),
        (formats.rate, 1.071, "107.1 %"),
        (formats.rate, None, "–"),
        (formats.rate, float("inf"), "–"),
        (formats.points, 0.0021, "0.21"),
        (formats.points, -0.003, "−0.30"),
        (formats.signed_points, 0.123, "+12.3"),
        (formats.signed_points, -0.047, "−4.7"),
        (formats.signed_points, 0.0, "0.0"),
        (formats.number, -0.01, "0.0"),
        (formats.count, 1234567, "1,234,567"),
        (formats.count, pd.NA, "–"),
        (formats.span, 0.4, "0.40 s"),
        (formats.span, 59.99, "60.0 s"),
        (formats.span, 61, "1 min 1 s"),
        (formats.span, 3599.9, "1 h"),
        (formats.span, 400 * 3600, "400 h"),
        (formats.hours, 0.75, "45 min"),
        (formats.hours, 2.6, "2.6 h"),
        (formats.hours, 0, "0 h"),
        (formats.when, pd.NaT, "–"),
        (formats.plain_value, {"a": [1, True, None, 0.1]}, "a: 1, yes, –, 0.1"),
    ],
)
def test_figures_as_people_read_them(function: object, value: object, expected: str) -> None:
    assert callable(function)
    assert function(value).replace(formats.NARROW, " ") == expected


def test_a_target_is_shown_in_its_unit() -> None:
    target = Target("m", 0.1, 0.2, "rate", True)
    shown_as = [formats.target_figure(replace(target, unit=unit), 0.125) for unit in ("rate", "s", "×", "")]
    assert [figure.replace(formats.NARROW, " ") for figure in shown_as] == ["12.5 %", "0.125 s", "0.125 ×", "0.125"]


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_an_axis_covers_its_ends_with_few_round_ticks(low: float, width: float) -> None:
    axis = axis_over(low, low + width)
    slack = 1e-6 * max(width, abs(low))
    assert axis.low <= low + slack
    assert axis.high >= low + width - slack
    assert 2 <= len(axis.ticks) <= 8
    assert axis.at(axis.low) == 0
    assert axis.at(axis.high) == pytest.approx(100)
    assert axis.at(axis.high + 1) == axis.at(axis.high)


def test_one_small_slice_does_not_press_the_others_into_a_corner() -> None:
    large = [("room", "a", 9, 3, 900, 0.2, 0.15, 0.25), ("room", "b", 9, 3, 900, 0.3, 0.2, 0.4)]
    tiny = ("room", "c", 1, 1, 5, 2.0, 0.2, 6.0)
    assert rate_axis(slice_rows([*large, tiny]), 0.25) == rate_axis(slice_rows(large), 0.25)
    chart = views.slices_view(replace(empty(), slices=slice_rows([*large, tiny]), overall=OVERALL))
    assert [row["beyond"] for row in chart.table.rows] == [False, False, True]


def test_a_slice_is_called_worse_or_better_only_where_its_interval_says_so(data: ReportData) -> None:
    sides = {row["slice"]: row["side"] for row in views.slices_view(data).table.rows}
    assert sides["age_group = child"] == "worse"
    assert sides["age_group = 20–39"] == "better"
    assert sides["age_group = (missing)"] == "near"
    assert sides[f"note = {SCRIPT}"] == "near"


def test_gains_may_be_negative_nothing_or_unknown(data: ReportData) -> None:
    axis = gain_axis(data.backlog)
    assert axis.low == pytest.approx(-0.30)
    assert 0 < axis.at(0) < axis.at(3.31) <= 100
    unknown = data.backlog.assign(gain=0.0, gain_low=float("nan"), gain_high=float("nan"))
    assert gain_axis(unknown).at(0) == 0


@given(st.lists(st.one_of(st.none(), st.floats(-1e4, 1e4)), min_size=1, max_size=60))
def test_a_histogram_counts_every_known_value_once(values: list[float | None]) -> None:
    drawn = histogram(pd.Series(values, dtype="float64"), "t", "dB")
    known = [value for value in values if value is not None]
    if drawn is None:
        assert not known
        return
    assert sum(bar.count for bar in drawn.bars) == drawn.known == len(known)
    assert drawn.missing == len(values) - len(known)
    assert len(drawn.bars) <= 24
    assert max(bar.height for bar in drawn.bars) == pytest.approx(100)


def test_one_long_clip_does_not_flatten_the_histogram() -> None:
    drawn = histogram(pd.Series([2.0 + i % 10 / 10 for i in range(400)] + [3600.0]), "Duration", "s")
    assert drawn is not None
    assert drawn.axis.high < 5
    assert drawn.above == 1


# --- CSV -----------------------------------------------------------------------------------------------------------


def test_csv_is_one_file_a_table_with_the_table_s_columns(data: ReportData, tmp_path: Path) -> None:
    written = write_csv(data, tmp_path)
    assert set(written) >= {"slices", "backlog", "flags", "conflicts", "audio_quality", "runs", "worst", "planted"}
    for name, path in written.items():
        assert path.read_bytes().startswith(b"\xef\xbb\xbf"), name
        columns = pd.read_csv(path, encoding="utf-8-sig").columns.tolist()
        if name in tables.TABLES:
            assert columns == tables.TABLES[name].names, name
    slices = pd.read_csv(written["slices"], encoding="utf-8-sig")
    assert slices["gap"].min() < 0
    pd.testing.assert_series_equal(slices["gap"], data.slices["gap"])
    assert "room = 주방" in slices["slice"].tolist()


def test_csv_of_an_empty_report_has_headers_alone(tmp_path: Path) -> None:
    written = write_csv(empty(), tmp_path)
    assert pd.read_csv(written["slices"], encoding="utf-8-sig").shape == (0, len(tables.SLICES.names))
    assert "planted" not in written


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("=1+1", "'=1+1"),
        ("+82 10", "'+82 10"),
        ("-", "'-"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("＝1+1", "'＝1+1"),
        ("well-known", "well-known"),
        ("", ""),
        ("오늘", "오늘"),
    ],
)
def test_formulas_are_disarmed(cell: str, expected: str) -> None:
    assert guarded(cell) == expected


def test_numbers_are_left_untouched() -> None:
    frame = pd.DataFrame({"n": [-1, 2], "x": [-0.25, float("nan")], "b": [True, False], "t": ["-1", "x"]})
    assert csv_text(frame) == "n,x,b,t\r\n-1,-0.25,True,'-1\r\n2,,False,x\r\n"


@given(st.lists(st.text(alphabet=st.characters(exclude_categories=["Cs"])), min_size=1, max_size=4))
def test_csv_gives_back_every_text(texts: list[str]) -> None:
    rows = list(csv.reader(io.StringIO(csv_text(pd.DataFrame({"k": 1, "text": texts})), newline="")))
    assert rows == [["k", "text"], *(["1", guarded(text)] for text in texts)]
    assert not any(row[1].startswith(csv_tables.FORMULA_STARTS) for row in rows[1:])


# --- JSON ----------------------------------------------------------------------------------------------------------


def test_json_holds_the_tables_whole(data: ReportData, tmp_path: Path) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    text = write_json(data, tmp_path / "report.json").read_text(encoding="utf-8")
    found = json.loads(text, parse_constant=refuse)
    for name in ("runs", "audio_quality", "flags", "conflicts", "slices", "confusions", "backlog", "faults"):
        assert found[name], name
        assert list(found[name][0]) == tables.TABLES[name].names, name
    assert found["runs"][0]["started_at"] == "2026-03-14T08:10:00+00:00"
    assert found["runs"][0]["latency_p99"] is None
    assert found["slices"][-1]["wer"] is None
    assert found["worst"][0]["alignment"][1] == {"op": "substitute", "reference": "불", "hypothesis": "물"}
    assert found["flags"][-1]["evidence"].startswith("=HYPERLINK")
    assert found["conflicts"][-1]["text"] == HOSTILE[4] + HOSTILE[6] + HOSTILE[7]
    assert "오늘 날씨" in text


def test_json_of_an_empty_report_has_every_table() -> None:
    found = document(empty())
    assert {name for name, rows in found.items() if rows == []} == set(found) - {"report"}
    assert found["report"]["created_at"] == "2026-03-14T09:30:00+00:00"


# --- Markdown ------------------------------------------------------------------------------------------------------


def test_markdown_tables_keep_their_columns_whatever_the_text(data: ReportData) -> None:
    lines = render_markdown(data).splitlines()
    width = 0
    for line in lines:
        if line.startswith("|"):
            bars = len(re.findall(r"(?<!\\)(?:\\\\)*\|", line))
            assert bars == (width or bars), line
            width = bars
        else:
            width = 0
    assert (
        "| 2 | audio | Normalise and re-transcribe 88 clips that are far too quiet | 1.8 | 1.2 to 2.4 |"
        in "\n".join(lines).replace(formats.NARROW, " ")
    )
    assert "<script" not in "\n".join(lines)


def test_markdown_shows_suspects_copies_and_precision(data: ReportData) -> None:
    text = render_markdown(data).replace(formats.NARROW, " ")
    assert "| 0.97 | clip-0101 | ann_c | 불 켜 줘 |" in text
    assert "| clip-0101 (train), clip-0388 (test), clip-0390 | identical samples, re-encoded | 0.980 |" in text
    assert "| clip-0600 (train) in clip-0601 (train) | from 4.5 s | 0.910 |" in text
    assert "80.0 % (37.6 % to 96.4 %; 5 judged)" in text
    assert "Rules that found nothing: 1." in text


def test_markdown_of_an_empty_report_names_the_commands() -> None:
    text = render_markdown(empty())
    for command in ("transcribe", "score", "backlog", "slices", "check", "suspects", "duplicates", "normalize"):
        assert f"`workbench {command}`" in text


@given(st.text())
def test_escaped_text_has_no_live_markup(text: str) -> None:
    line = escaped(text)
    assert not set("<>\n\r@") & set(line)
    unescaped = re.sub(r"\\[" + re.escape(string.punctuation) + "]", "", line)
    assert not set("*|`[]~$") & set(unescaped)


# --- files ---------------------------------------------------------------------------------------------------------


def test_a_report_is_every_file_and_nothing_else(data: ReportData, tmp_path: Path) -> None:
    written = write_report(data, tmp_path / "new" / "report")
    there = {str(p.relative_to(tmp_path / "new" / "report")) for p in (tmp_path / "new").rglob("*") if p.is_file()}
    assert set(written) == there
    assert {"report.html", "report.md", "report.json", "tables/slices.csv"} <= there


def test_the_same_data_make_the_same_bytes(data: ReportData, tmp_path: Path) -> None:
    first, second = (write_report(data, tmp_path / name) for name in ("a", "b"))
    assert {k: p.read_bytes() for k, p in first.items()} == {k: p.read_bytes() for k, p in second.items()}


def test_a_write_that_fails_leaves_the_old_file_and_no_litter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_whole(tmp_path / "report.md", "old")

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("workbench.report.files.os.replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_whole(path, "new")
    assert [p.name for p in tmp_path.iterdir()] == ["report.md"]
    assert path.read_text() == "old"


def test_a_lone_surrogate_does_not_stop_the_report(tmp_path: Path) -> None:
    data = replace(empty(), title="broken \ud800 name", notes=["\udfff"])
    assert "broken" in write_report(data, tmp_path)["report.html"].read_text(encoding="utf-8")


def test_frames_from_an_open_notebook_are_not_changed(data: ReportData) -> None:
    before = {name: getattr(data, name).copy() for name in ("slices", "backlog", "conflicts", "quality_tags")}
    render_html(data)
    render_markdown(data)
    for name, frame in before.items():
        pd.testing.assert_frame_equal(getattr(data, name), frame)


def test_a_table_with_one_row_and_nothing_optional_is_drawn() -> None:
    only = dict.fromkeys(("gain_low", "gain_high", "gain_per_hour"))
    row = {"rank": 1, "item_id": "x", "kind": "other", "title": "t", "utterances": 0, "gain": 0.0, "cost_hours": 0.0}
    frame = table("backlog", [row | only | {"how": "", "run_id": "r", "scoring": "basic-1/unit"}])
    assert "no interval" in Page(render_html(replace(empty(), backlog=frame))).text("backlog")


@pytest.mark.parametrize(
    "module", ["formats", "characters", "highlight", "charts", "clips", "csv_tables", "markdown", "json_document"]
)
def test_the_examples_in_the_docstrings_hold(module: str) -> None:
    result = doctest.testmod(importlib.import_module(f"workbench.report.{module}"))
    assert result.failed == 0


def test_markdown_cuts_earlier_than_the_page() -> None:
    assert markdown.ROWS_SHOWN < views.ROWS_SHOWN
