"""A guideline page for transcribers, as Markdown or HTML; everything that came from transcripts is escaped."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from workbench.errors import BadInput
from workbench.report import formats
from workbench.report.characters import LONGEST_LABEL, LONGEST_TEXT, isolated, plain
from workbench.report.files import write_whole
from workbench.report.guideline_words import family_of, part_of, phrase, shown_form, words_of_family
from workbench.report.html_page import asset, policy
from workbench.report.markdown import escaped

SIGNATURE = "made by workbench conventions"
"Stands in every page, so that no page of anybody else's is written over."
_MOST_OF_FAMILY = 40


@dataclass(frozen=True)
class FormShare:
    """A form, how often it is used, its share in [0, 1], and who writes it, most often first."""

    form: str
    uses: int
    share: float
    annotators: tuple[str, ...]


@dataclass(frozen=True)
class Correction:
    """A transcript with the characters that depart from the form, and as it would be; None where nothing is safe."""

    text: str
    start: int
    end: int
    corrected: str | None

    @property
    def pieces(self) -> tuple[str, str, str]:
        """What stands before the use, the use, and what stands behind it."""
        return self.text[: self.start], self.text[self.start : self.end], self.text[self.end :]


@dataclass(frozen=True)
class Guideline:
    """One convention: its forms, the chosen one (None: undecided), examples, and who departs how often.

    `departing` has annotator, departing uses and all uses; with `habit` both forms may be right in a transcript.
    """

    convention: str
    forms: tuple[FormShare, ...]
    chosen: str | None
    right: tuple[str, ...] = ()
    wrong: tuple[Correction, ...] = ()
    departing: tuple[tuple[str, int, int], ...] = ()
    habit: bool = False
    applies: bool = True
    "Whether a form of it can be applied by a command; else it is a decision for people only."

    @property
    def uses(self) -> int:
        """How often any of the forms is used."""
        return sum(form.uses for form in self.forms)


@dataclass(frozen=True)
class Guide:
    """What a page holds; `language` is one of `guideline_words.LANGUAGES`."""

    name: str
    language: str
    transcripts: int
    annotators: int
    guidelines: tuple[Guideline, ...] = field(default=())

    def say(self, key: str, /, **values: object) -> str:
        """A phrase of the page."""
        return phrase(key, self.language, **values)

    def families(self, kind: str) -> Iterator[tuple[str, str, list[Guideline], int]]:
        """Title, sentence, guidelines and how many more there are, by family; of those decided, undecided or habits.

        Families stand in the order of their uses, and so do their conventions.
        """
        wanted = [one for one in self.guidelines if _kind(one) == kind]
        by_family = [
            (family, sorted(members, key=lambda one: (-one.uses, one.convention)))
            for family, members in groupby(
                sorted(wanted, key=lambda one: family_of(one.convention)), key=lambda one: family_of(one.convention)
            )
        ]
        for family, members in sorted(by_family, key=lambda one: (-sum(each.uses for each in one[1]), one[0])):
            title, about = words_of_family(family, self.language)
            yield title, about, members[:_MOST_OF_FAMILY], max(len(members) - _MOST_OF_FAMILY, 0)


def _kind(guideline: Guideline) -> str:
    if guideline.habit:
        return "habit"
    return "undecided" if guideline.chosen is None else "decided"


def write_guide(guide: Guide, path: Path) -> Path:
    """The path of the page that was written, in the format of its suffix, `.md` or `.html`.

    Raises:
        BadInput: the suffix is another one, or the file is there and is no such page.
    """
    renderer = {".md": render_markdown, ".html": render_html}.get(path.suffix.lower())
    if renderer is None:
        raise BadInput(f"{path}: a page is written as .md or .html; name it so")
    if path.exists() and (not path.is_file() or SIGNATURE not in path.read_text(encoding="utf-8", errors="replace")):
        raise BadInput(f"{path} is there already and is no page of this command; name another file")
    return write_whole(path, renderer(guide))


def render_markdown(guide: Guide) -> str:
    """The page as Markdown."""
    say, shown = guide.say, guide.language
    lines = [f"<!-- {SIGNATURE} -->", f"# {say('title')}: {escaped(guide.name)}", ""]
    lines += [say("made", transcripts=f"{guide.transcripts:,}", annotators=f"{guide.annotators:,}"), ""]
    for kind in ("decided", "habit", "undecided"):
        families = list(guide.families(kind))
        if not families:
            continue
        lines += [f"## {say(kind)}", "", say(f"{kind}_about"), ""]
        for title, about, members, more in families:
            lines += [f"### {escaped(title)}", "", escaped(about), ""]
            for one in members:
                lines += list(_as_markdown(guide, one, kind, shown))
            if more:
                lines += [f"*{escaped(say('more', count=more))}*", ""]
    if not guide.guidelines:
        lines += [say("nothing"), ""]
    return "\n".join(lines).rstrip() + "\n"


def _as_markdown(guide: Guide, one: Guideline, kind: str, language: str) -> Iterator[str]:
    say = guide.say
    if kind == "decided":
        others = ", ".join(escaped(shown_form(form.form, language)) for form in one.forms if form.form != one.chosen)
        share = next(form.share for form in one.forms if form.form == one.chosen)
        uses = say("of_uses", share=formats.rate(share), uses=f"{one.uses:,}")
        chosen = escaped(shown_form(str(one.chosen), language))
        part = part_of(one.convention, language)
        about = f"{escaped(part)}: " if part else ""
        yield f"- {about}{say('write')}**{chosen}**{say('not')}{others}{say('write_end')} — {uses}"
    else:
        yield f"- {escaped(part_of(one.convention, language) or one.convention)}:"
        for form in one.forms:
            who = escaped(", ".join(form.annotators[:5]) + (" …" if len(form.annotators) > 5 else ""))
            yield f"    - {escaped(shown_form(form.form, language))}: {form.uses:,} ({formats.rate(form.share)}); {who}"
    for correction in one.wrong:
        yield f"    - {say('wrong')}: {escaped(correction.text)}"
        if correction.corrected is not None:
            yield f"      {say('right')}: {escaped(correction.corrected)}"
    if not one.wrong:
        for text in one.right:
            yield f"    - {say('right' if kind == 'decided' else 'example')}: {escaped(text)}"
    if one.departing and kind != "undecided":
        names = (say("who_one", name=name, departing=n, own=own) for name, n, own in one.departing)
        yield f"    - {say('who')}: {escaped(', '.join(names))}"
    if kind == "undecided" and one.applies:
        yield f"    - {say('choose')}: {escaped(_command(one))}"
    yield ""


def _command(one: Guideline) -> str:
    """The command that decides, quoted for a shell."""
    convention, form = shlex.quote(one.convention), shlex.quote(one.forms[0].form)
    return f"workbench conventions apply {convention} --form {form} --all --dry-run --reason …"


def render_html(guide: Guide) -> str:
    """The page as HTML that needs nothing else: no network, no other file."""
    environment = Environment(
        loader=PackageLoader("workbench.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        text=isolated(guide.language, LONGEST_TEXT),
        label=isolated(guide.language, LONGEST_LABEL),
        plain=plain,
        rate=formats.rate,
        form=lambda form: shown_form(form, guide.language),
        part=lambda one: part_of(one.convention, guide.language),
    )
    style = asset("report.css") + asset("guidelines.css")
    return environment.get_template("guidelines.html").render(
        guide=guide,
        say=guide.say,
        signature=SIGNATURE,
        command=_command,
        policy=policy(style, ""),
        style=Markup(style),
        kinds=[(kind, list(guide.families(kind))) for kind in ("decided", "habit", "undecided")],
    )
