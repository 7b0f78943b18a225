"""The union of several models' lists."""

from dataclasses import dataclass

import numpy as np

from recsys.ranking.candidates import gather


@dataclass
class Listed:
    indptr: np.ndarray
    item_ix: np.ndarray
    scores: np.ndarray


def listed(*rows):
    """Lists of (item, score) pairs, best first."""
    return Listed(
        np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64),
        np.array([item for row in rows for item, _ in row], dtype=np.int32),
        np.array([score for row in rows for _, score in row], dtype=np.float32),
    )


def test_every_product_stands_once_with_what_each_model_said():
    both = gather(
        [listed([(7, 0.9), (2, 0.5)], [], [(4, 1.0)]), listed([(2, 30.0)], [], [(9, 8.0)])],
        n_items=10,
    )
    assert both.indptr.tolist() == [0, 2, 2, 4]
    assert both.item_ix.tolist() == [2, 7, 4, 9]
    assert both.places.tolist() == [[2, 1], [1, 0], [1, 0], [0, 1]]
    assert both.scores.tolist() == [[0.5, 30.0], [np.float32(0.9), 0.0], [1.0, 0.0], [0.0, 8.0]]


def test_nobody_proposing_anything_gives_empty_rows():
    nothing = gather([listed([], [])], n_items=3)
    assert nothing.indptr.tolist() == [0, 0, 0]
    assert nothing.scores.shape == (0, 1)
