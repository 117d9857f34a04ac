"""Files of synonyms: our own lines, fstalign's and NIST's, and what is wrong with a line."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.alternatives.source import Heard
from analysis.alternatives.synonyms import Synonym, Synonyms
from analysis.normalizers import basic
from workbench.errors import BadInput
from workbench.manifests.synonyms import read_synonyms


def written(directory: Path, text: str, name: str = "words.txt") -> Path:
    path = directory / name
    path.write_text(text, encoding="utf-8")
    return path


def rules(directory: Path, text: str, name: str = "words.txt") -> list[str]:
    return [" > ".join(rule) for rule in read_synonyms(written(directory, text, name)).rules]


def found(synonyms: Synonyms, reference: str, hypothesis: str) -> list[tuple[str, ...]]:
    return [each.words for each in synonyms.find(tuple(reference.split()), Heard(hypothesis.split()))]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("colour = color", ["colour > color", "color > colour"]),
        ("a = b = c", ["a > b", "a > c", "b > a", "b > c", "c > a", "c > b"]),
        ("ice  cream = icecream", ["ice cream > icecream", "icecream > ice cream"]),
        ("going to => gonna", ["going to > gonna"]),
        ("a => b ; c d", ["a > b", "a > c d"]),
        ("okay    | ok ; 'kay", ["okay > ok", "okay > 'kay"]),
        ("a__b = ab", ["a__b > ab", "ab > a__b"]),
        ("c# = c sharp", ["c# > c sharp", "c sharp > c#"]),
        ("# nothing\n\n  # nothing\nx => y\r", ["x > y"]),
        ("OK => O. K. / [ ] __ [ ] ;; per AHD", ["OK > O. K.", "O. K. > OK"]),
        ("김치찌개 = 김치 찌개", ["김치찌개 > 김치 찌개", "김치 찌개 > 김치찌개"]),
    ],
)
def test_a_line(tmp_path: Path, line: str, expected: list[str]) -> None:
    assert rules(tmp_path, line) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("MR. => MISTER / [ ] __ [ ]", ["MISTER > MR.", "MR. > MISTER"]),
        ("[JETLINER] => [JET LINER]", ["JET LINER > JETLINER", "JETLINER > JET LINER"]),
        ("UM => %H / [ ] __ [ ]\nUH => %H / [ ] __ [ ]",
         ["%H > UM", "%H > UH", "UM > %H", "UM > UH", "UH > %H", "UH > UM"]),
        ("FALKNER => FAULKNER / [WILLIAM ] __", ["WILLIAM FAULKNER > WILLIAM FALKNER",
                                                 "WILLIAM FALKNER > WILLIAM FAULKNER"]),
        ("T. => TEE / __ [ SHIRT] ;; a shirt", ["TEE SHIRT > T. SHIRT", "T. SHIRT > TEE SHIRT"]),
        ("AIN'T => [{ARE NOT / HAVE NOT}] / [ ] __ [ ]",
         ["AIN'T > ARE NOT", "ARE NOT > AIN'T", "AIN'T > HAVE NOT", "HAVE NOT > AIN'T"]),
        (';; INPUT_DEPENDENT_APPLICATION = "hyp"\n[HE\'S] => [{HE\'S / HE IS / HE HAS}] / [ ] __ [ ]',
         ["HE IS > HE'S", "HE HAS > HE'S"]),
    ],
)  # fmt: skip
def test_a_mapping_file_of_nist(tmp_path: Path, text: str, expected: list[str]) -> None:
    assert rules(tmp_path, text, "en.glm") == expected
    assert rules(tmp_path, f"* name 'en'\n{text}") == expected


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("colour color", "expected `a = b`, `a => b ; c` or `a | b ; c`"),
        ("colour =", "in which a side is empty"),
        ("=> color", "in which a side is empty"),
        ("a => b ;; c", "in which a side is empty"),
        ("a => {b / c} d", "rules that make nothing of a text, or part of one an alternation"),
        ("a => b ; [c] d", "rules that make nothing of a text, or part of one an alternation"),
        ("a = b => c", "use one kind of sign in a line"),
        ("a => b => c", "use one kind of sign in a line"),
        (" = ".join(map(str, range(201))), "at most 200"),
    ],
)
def test_a_line_that_cannot_be_used_is_named(tmp_path: Path, line: str, reason: str) -> None:
    with pytest.raises(BadInput) as problem:
        read_synonyms(written(tmp_path, f"a = b\n{line}\n"))
    assert "words.txt:2: " in str(problem.value) and reason in str(problem.value)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("ADVISER => ADVISOR / [X] __ [ ]", "with a part of a word as its context; expected"),
        ("A => B / C __ D", "with a part of a word as its context; expected"),
        ("[UH] => [] / [ ] __ [ ]", "rules that make nothing of a text, or part"),
        ("UH => {UH / @} / [ ] __ [ ]", "rules that make nothing of a text, or part"),
        ("A => B {C / D} / [ ] __ [ ]", "expected `A => B / [ ] __ [ ]` or `A => {B / C} / [ ] __ [ ]`"),
        ("A B", "expected `A => B / [ ] __ [ ]`"),
    ],
)
def test_an_unsupported_mapping_rule_is_named(tmp_path: Path, line: str, reason: str) -> None:
    with pytest.raises(BadInput) as problem:
        read_synonyms(written(tmp_path, f"A => B\n{line}\n", "en.glm"))
    assert "1 of 2 lines cannot be used" in str(problem.value)
    assert "en.glm:2: " in str(problem.value) and reason in str(problem.value)


def test_rules_for_an_unknown_input_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"en.glm:1: 'stm': INPUT_DEPENDENT_APPLICATION is known for ctm, hyp only"):
        read_synonyms(written(tmp_path, ';; INPUT_DEPENDENT_APPLICATION = "stm"\nA => B\n', "en.glm"))


def test_too_many_texts_mapped_to_one_are_refused(tmp_path: Path) -> None:
    text = "".join(f"A{number} => B\n" for number in range(200))
    with pytest.raises(BadInput, match=r"en.glm:200: more than 200 texts are mapped to 'B'"):
        read_synonyms(written(tmp_path, text, "en.glm"))


@pytest.mark.parametrize("text", ["# only this\n", "\n\n"])
def test_a_file_without_rules_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadInput, match=r"words\.txt"):
        read_synonyms(written(tmp_path, text))


def test_the_name_is_that_of_the_rules_and_not_of_the_file(tmp_path: Path) -> None:
    one = read_synonyms(written(tmp_path, "# mine\na = b\nx => y\n", "one.txt"))
    other = read_synonyms(written(tmp_path, "x | y\nb = a\n", "other.txt"))
    third = read_synonyms(written(tmp_path, "x | y\n", "third.txt"))
    assert one.name == other.name != third.name


def test_what_is_read_is_found_as_the_normalizer_has_it(tmp_path: Path) -> None:
    synonyms = read_synonyms(written(tmp_path, "Ice-cream = Gelato\nI am | I'm\n")).normalised(basic)
    assert found(synonyms, "an ice cream", "a gelato") == [("gelato",)]
    assert found(synonyms, "i am here", "i'm here") == [("i'm",)]
    assert found(synonyms, "i'm here", "i am here") == []


def test_rules_keep_the_order_of_the_file(tmp_path: Path) -> None:
    synonyms = read_synonyms(written(tmp_path, "b => c\na => d\n"))
    assert synonyms.rules == (Synonym("b", "c"), Synonym("a", "d"))
