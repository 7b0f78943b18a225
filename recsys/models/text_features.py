"""The words of the catalogue become features of its products.

Titles, attributes and groups come in; out come one sparse row of weighted features a product,
and which products are the same thing in another size. Called by ``content`` when it learns.
"""

import json
import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse

from recsys.datasets import IntArray, IxArray

if TYPE_CHECKING:
    from recsys.datasets import TrainingSet

#: Kinds of features, in the order of their columns.
KINDS: Final = ("words", "category", "brand")

#: Fewer titles than this with a word: it connects nothing.
_MIN_TITLES: Final = 2
#: Texts whose words are remembered: a training learns of the same products several times.
_REMEMBERED: Final = 1 << 18
#: Scripts that put no spaces between words: Thai to Khmer, kana, Han.
_UNSPACED: Final = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
_NUMBER: Final = re.compile(r"(\d+)")
#: Words of a text without accents: many times as fast to find.
_PLAIN: Final = re.compile("[a-z0-9]+")
#: Above it lie no marks that words are written with.
_LAST_MARK: Final = 0x20000
#: A word up to this long behind a number is its unit: 12 oz, 250 г, 3 for.
_UNIT: Final = 3


class TextFeatures(NamedTuple):
    """One sparse row a product.

    Attributes
    ----------
    matrix : csr_array of shape (n_items, n_features), float32
        The inner product of two rows is at most 1: how alike two products are.
    starts : ndarray of shape (len(KINDS) + 1,), int64
        First column of each kind, and the end.
    variant : ndarray of shape (n_items,), int32
        Equal for products that are one thing in several sizes; -1 for those without another.
    common : ndarray of shape (n_items,), float32
        What is left of the length of a title's words when those that no other title has, which
        are no features, are left out; in [0, 1].
    """

    matrix: sparse.csr_array
    starts: IntArray
    variant: IxArray
    common: npt.NDArray[np.float32]


def text_features_of(training: "TrainingSet", weights: tuple[float, float, float]) -> TextFeatures:
    """Describe every product of a catalogue.

    Parameters
    ----------
    training : TrainingSet
    weights : tuple of float
        What words, category and brand count, >= 0; only their proportions matter. A product of
        which one of them is unknown is the less like any other.
    """
    products, n = training.products, training.n_items
    nothing = np.full(n, -1, np.int32)
    titles: Sequence[str] = [""] * n if products is None else products.titles
    documents = [tokens(title) for title in titles]
    if products is not None:
        said = map(_values, products.attributes)
        documents = [words + more for words, more in zip(documents, said, strict=True)]
    brand, family = (nothing, nothing) if products is None else (products.brand, products.family)
    share = np.sqrt(np.array(weights, np.float64) / (sum(weights) or 1.0))
    words, common = _weighed(documents)
    blocks = (words, _one_hot(training.category), _one_hot(brand))
    parts = [block * root for block, root in zip(blocks, share, strict=True)]
    matrix = sparse.csr_array(sparse.hstack(parts, format="csr"), dtype=np.float32)
    matrix.sort_indices()
    starts = np.cumsum([0, *(part.shape[1] for part in parts)]).astype(np.int64)
    variant = _variants(titles, family, training.category, brand)
    return TextFeatures(matrix, starts, variant, common)


@lru_cache(_REMEMBERED)
def tokens(text: str) -> tuple[str, ...]:
    """Cut a title into words, of any language.

    Parameters
    ----------
    text : str

    Returns
    -------
    tuple of str
        Folded to one case and one way of writing; what has no letter is left out. Of scripts
        that put no spaces between words every pair of neighbouring characters is a word.
    """
    found: list[str] = []
    for word in _words(text):
        if not any(letter.isalpha() for letter in word):
            continue
        if len(word) > 2 and _UNSPACED.search(word):
            found += (word[at : at + 2] for at in range(len(word) - 1))
        else:
            found.append(word)
    return tuple(found)


@lru_cache(_REMEMBERED)
def unsized(title: str) -> tuple[str, ...]:
    """Words of a title that tells a size, without the size; nothing where it tells none.

    A size is a word that begins with a digit, with a word of at most three letters behind it.
    """
    words, measured, behind = set(), False, False
    for word in _words(title):
        number = word[0].isdigit()
        if not number and not (behind and len(word) <= _UNIT):
            words.add(word)
        measured |= number
        behind = number
    return tuple(sorted(words)) if measured else ()


def _words(text: str) -> Iterator[str]:
    if text.isascii():
        yield from _PLAIN.findall(text.casefold())
        return
    for word in _word().findall(unicodedata.normalize("NFKC", text).casefold()):
        if _UNSPACED.search(word):  # numbers stand between words without a space, too
            yield from filter(None, _NUMBER.split(word))
        else:
            yield word


@cache
def _word() -> re.Pattern[str]:
    r"""Letters and digits, and the marks upon them, which ``\w`` leaves out."""
    marks = (chr(code) for code in range(_LAST_MARK) if _is_mark(chr(code)))
    return re.compile(f"(?:[^\\W_]|[{''.join(marks)}])+")


def _is_mark(letter: str) -> bool:
    return unicodedata.category(letter).startswith("M")


@lru_cache(_REMEMBERED)
def _values(attributes: str) -> tuple[str, ...]:
    """Words for what is said of a product by name.

    Numbers and measures say nothing alike, nor do addresses: variants share their pictures.
    """
    if not attributes:
        return ()
    texts = {
        name: value.casefold()
        for name, value in json.loads(attributes).items()
        if isinstance(value, str)
    }
    return tuple(
        f"{name}={text}"
        for name, text in texts.items()
        if text and not text[0].isdigit() and "://" not in text
    )


def _weighed(
    documents: list[tuple[str, ...]],
) -> tuple[sparse.csr_array, npt.NDArray[np.float32]]:
    """TF-IDF of the words that at least two titles have, rows of length 1 or 0; ``common``.

    A word that ``d`` of ``n`` titles have counts ``1 + log((1 + n) / (1 + d))``, once a title.
    """
    from sklearn.feature_extraction.text import (  # training only; serving never loads it
        CountVectorizer,
        TfidfTransformer,
    )

    n = len(documents)
    if not any(documents):
        return sparse.csr_array((n, 0)), np.zeros(n, np.float32)
    # `tuple` leaves words as they are: `tokens` has found them already.
    found = CountVectorizer(analyzer=tuple, binary=True, dtype=np.float64).fit_transform(documents)
    every = sparse.csr_array(TfidfTransformer(norm=None).fit_transform(found))
    every.sort_indices()
    titles = np.bincount(every.indices, minlength=every.shape[1])
    kept = sparse.csr_array(every[:, np.flatnonzero(titles >= _MIN_TITLES)])
    row = np.repeat(np.arange(n), np.diff(kept.indptr))
    square = np.bincount(row, kept.data**2, n)
    kept.data /= np.sqrt(square)[row]
    rare = np.diff(every.indptr) - np.diff(kept.indptr)
    rest = rare * (np.log((1 + n) / 2) + 1) ** 2  # a word of one title
    share = np.sqrt(np.divide(square, square + rest, out=np.zeros(n), where=square > 0))
    return kept, share.astype(np.float32)


def _one_hot(group: IxArray) -> sparse.csr_array:
    known = np.flatnonzero(group >= 0)
    shape = (len(group), int(group.max(initial=-1)) + 1)
    return sparse.csr_array((np.ones(len(known)), (known, group[known])), shape=shape)


def _variants(titles: Sequence[str], family: IxArray, category: IxArray, brand: IxArray) -> IxArray:
    """Products of one family, or of one brand and category with titles that differ in size."""
    number: dict[tuple[object, ...], int] = {}
    variant = np.full(len(family), -1, np.int32)
    groups = zip(family.tolist(), category.tolist(), brand.tolist(), strict=True)
    for item, (title, (of, kind, make)) in enumerate(zip(titles, groups, strict=True)):
        words = unsized(title)
        if of >= 0 or words:
            key = (of,) if of >= 0 else (kind, make, words)
            variant[item] = number.setdefault(key, len(number))
    alone = np.bincount(variant[variant >= 0], minlength=len(number)) < 2
    variant[variant >= 0] = np.where(alone[variant[variant >= 0]], -1, variant[variant >= 0])
    return variant
