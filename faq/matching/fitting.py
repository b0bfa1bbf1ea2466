"""Fit the few numbers of a decision to labelled evidence: how signals weigh, and how sure to be."""

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]

_ROUNDS = 400
_STEP = 0.1
_START = 5.0  # of every weight: the signals are about 0…1, the scores they make about 0…20
_NEWTON_ROUNDS = 30
_SHRINK = 0.01  # of the logistic model, per message: the labelled messages are few


def softmax(scores: Doubles) -> Doubles:
    """Probabilities of the classes in the last axis."""
    raised = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True))


def fit_weights(tables: Doubles, right: Doubles) -> tuple[Doubles, float]:
    """Weights of the signals and the head start of the last class that make the right classes likeliest.

    `tables` is messages × classes × signals, `right` is 1 where a class is right (several may be).
    """
    weights = np.full(tables.shape[2] + 1, _START)
    mean, spread = np.zeros_like(weights), np.zeros_like(weights)
    for turn in range(1, _ROUNDS + 1):
        chances = softmax(scores_of(tables, weights[:-1], weights[-1]))
        wanted = chances * right
        error = wanted / wanted.sum(axis=1, keepdims=True) - chances
        slope = np.append(np.einsum("mc,mcs->s", error, tables) / len(tables), error[:, -1].mean())
        mean, spread = 0.9 * mean + 0.1 * slope, 0.99 * spread + 0.01 * slope**2
        weights += _STEP * (mean / (1 - 0.9**turn)) / (np.sqrt(spread / (1 - 0.99**turn)) + 1e-8)
        weights[:-1] = np.maximum(weights[:-1], 0.0)  # no signal speaks against what it is near to
    return weights[:-1], float(weights[-1])


def scores_of(tables: Doubles, weights: Doubles, outside: float) -> Doubles:
    """Weighted evidence of each class."""
    scores = np.asarray(tables @ weights)
    scores[..., -1] += outside
    return scores


def fit_logistic(values: Doubles, true: NDArray[np.bool_]) -> Doubles:
    """Coefficients (the last is the constant) of the chance that something is true."""
    middle, spread = values.mean(axis=0), values.std(axis=0) + 1e-9
    table = np.column_stack([(values - middle) / spread, np.ones(len(values))])
    shrink = _SHRINK * len(values) * np.append(np.ones(values.shape[1]), 1e-3)
    coefficients = np.zeros(table.shape[1])
    for _ in range(_NEWTON_ROUNDS):
        chance = logistic(table @ coefficients)
        slope = table.T @ (true - chance) - shrink * coefficients
        curve = (table * (chance * (1 - chance))[:, None]).T @ table + np.diag(shrink)
        coefficients += np.linalg.solve(curve, slope)
    scaled = coefficients[:-1] / spread
    return np.append(scaled, coefficients[-1] - scaled @ middle)


def logistic(values: Doubles) -> Doubles:
    """Chances of log-odds."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(values, -30.0, 30.0))))
