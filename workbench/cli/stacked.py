"""Tables that are wider than the terminal: figures and names in columns, each long text on lines of its own below."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.padding import Padding
from rich.text import Text

GAP = 3
"Spaces between two columns; those of rich's simple box."
_LONG = 28
_INDENT = 4


@dataclass(frozen=True)
class ShownColumn:
    """A column as it is printed: its heading, its cells, and whether they are set to the right."""

    heading: str
    cells: Sequence[str]
    right: bool = False

    @property
    def is_long(self) -> bool:
        """Whether it holds texts of several words, longer than a name."""
        return any(" " in cell and cell_len(cell) > _LONG for cell in self.cells)

    @property
    def longest_word(self) -> int:
        """Terminal columns of its longest word."""
        return max(map(cell_len, " ".join((self.heading, *self.cells)).split()))

    @property
    def width(self) -> int:
        """Terminal columns of its widest cell; Hangul takes two a letter."""
        return max(map(cell_len, (self.heading, *self.cells)))


def least_width(columns: Sequence[ShownColumn]) -> int:
    """The terminal columns below which a table is not read with ease: nothing broken but long texts between words."""
    return sum((_LONG if column.is_long else column.width) + GAP for column in columns)


def broken_width(columns: Sequence[ShownColumn]) -> int:
    """The terminal columns that a table of these needs to have lines broken between words only."""
    return sum(column.longest_word + GAP for column in columns)


def stacked(columns: Sequence[ShownColumn], width: int) -> Iterator[Text | Padding]:
    """The table's lines: its short columns as far as `width` goes, and below each row its other values by name."""
    short = [column for column in columns if not column.is_long]
    while len(short) > 1 and least_width(short) - GAP > width:
        short.pop()
    long = [column for column in columns if column not in short]
    yield Text((" " * GAP).join(_padded(one.heading, one) for one in short).rstrip(), style="bold")
    for i in range(len(columns[0].cells)):
        yield Text((" " * GAP).join(_padded(one.cells[i], one) for one in short).rstrip())
        for one in long:
            if one.cells[i].strip() not in ("", "–"):
                yield Padding(Text.assemble((f"{one.heading}: ", "dim"), one.cells[i]), (0, 0, 0, _INDENT))


def _padded(cell: str, column: ShownColumn) -> str:
    space = " " * (column.width - cell_len(cell))
    return space + cell if column.right else cell + space
