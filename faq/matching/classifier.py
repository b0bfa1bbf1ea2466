"""Learn from examples which class a text belongs to: a kernel ridge classifier, in closed form."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from faq.matching.index import Floats

MOST_LANDMARKS = 3_000
"""Samples that stand for all in a large base: 3,000 cost seconds to solve for, 25,000 would cost an hour."""

_BLOCK = 4_096  # samples at once: bounds the memory of a large base's fit
_STEADY = 1e-3  # on the diagonal: two samples that are alike must not make the system singular


def landmarks(size: int, most: int = MOST_LANDMARKS) -> NDArray[np.int64]:
    """The samples to compare with: all of them where they are few enough, else evenly spread."""
    return np.unique(np.linspace(0, max(size - 1, 0), min(size, most)).astype(np.int64))


def fit(
    kernel: Floats, targets: Floats, *, penalties: Floats, marks: NDArray[np.int64], may_spoil: bool = False
) -> Floats:
    """Coefficients, landmarks × classes: `kernel row of a text @ coefficients` is about 1 for its class.

    `kernel` is landmarks × samples, `targets` samples × classes, `penalties` how little to trust each
    sample. With every sample a landmark this is kernel ridge regression, with fewer its Nyström
    approximation. `may_spoil` lets it write into `kernel`.
    """
    if len(marks) == len(targets):
        system = kernel if may_spoil else kernel.copy()
        system[np.diag_indices_from(system)] += penalties
        solved: Floats = np.linalg.solve(system, targets).astype(np.float32)
        return solved
    trust = 1.0 / penalties
    system = kernel[:, marks].copy()
    system[np.diag_indices_from(system)] += np.float32(_STEADY)
    wanted = np.zeros((len(marks), targets.shape[1]), dtype=np.float32)
    for block in _blocks(len(targets)):
        weighted = kernel[:, block] * trust[block]
        system += weighted @ kernel[:, block].T
        wanted += weighted @ targets[block]
    return np.linalg.solve(system, wanted).astype(np.float32)


def leave_one_out(kernel: Floats, targets: Floats, *, penalties: Floats) -> Floats:
    """What `fit` would say of each sample if it had not learned it; spoils `kernel` (samples × samples)."""
    kernel[np.diag_indices_from(kernel)] += penalties
    inverse = np.linalg.inv(kernel)
    return np.asarray(targets - (inverse @ targets) / np.diag(inverse)[:, None], dtype=np.float32)


def _blocks(size: int) -> Iterator[slice]:
    for start in range(0, size, _BLOCK):
        yield slice(start, min(start + _BLOCK, size))
