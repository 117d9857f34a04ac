"""What is worked out once for a corpus, whichever rules ask for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from label_rules.corpus import Corpus

_Rest = ParamSpec("_Rest")
_Result = TypeVar("_Result")


def once_per_corpus(
    work: Callable[Concatenate[Corpus, _Rest], _Result],
) -> Callable[Concatenate[Corpus, _Rest], _Result]:
    """The function, with its result kept for each corpus, and each choice of further arguments, while the corpus lives.

    The further arguments are hashable.
    """
    known: WeakKeyDictionary[Corpus, dict[Any, _Result]] = WeakKeyDictionary()

    @wraps(work)
    def kept(corpus: Corpus, *args: _Rest.args, **kwargs: _Rest.kwargs) -> _Result:
        results = known.setdefault(corpus, {})
        asked = args, tuple(sorted(kwargs.items()))
        if asked not in results:
            results[asked] = work(corpus, *args, **kwargs)
        return results[asked]

    return kept
