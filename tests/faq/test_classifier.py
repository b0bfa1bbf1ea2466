"""The classifier does what its formulas promise, on a case small enough to do by hand."""

import numpy as np
import pytest

from faq.matching import classifier
from faq.matching.classifier import MOST_LANDMARKS, fit, landmarks, leave_one_out
from faq.matching.index import Floats


@pytest.fixture
def points() -> Floats:
    """Sixty samples around three places."""
    chance = np.random.default_rng(5)
    middles = chance.normal(size=(3, 8))
    rows = middles[np.arange(60) % 3] + chance.normal(scale=0.3, size=(60, 8))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


@pytest.fixture
def targets() -> Floats:
    return np.eye(3, dtype=np.float32)[np.arange(60) % 3]


@pytest.fixture
def penalties() -> Floats:
    return np.where(np.arange(60) % 5, 0.3, 1.2).astype(np.float32)


def test_landmarks_are_all_samples_or_evenly_spread() -> None:
    assert landmarks(0).tolist() == []
    assert landmarks(5).tolist() == [0, 1, 2, 3, 4]
    assert landmarks(10, most=4).tolist() == [0, 3, 6, 9]
    many = landmarks(25_000)
    assert len(many) == MOST_LANDMARKS
    assert (many[0], many[-1]) == (0, 24_999)
    assert set(np.diff(many)) == {8, 9}


def test_with_every_sample_a_landmark_it_is_kernel_ridge(
    points: Floats, targets: Floats, penalties: Floats
) -> None:
    kernel = points @ points.T
    before = kernel.copy()

    fitted = fit(kernel, targets, penalties=penalties, marks=landmarks(60))

    exact = np.linalg.inv(kernel.astype(np.float64) + np.diag(penalties)) @ targets
    assert np.allclose(fitted, exact, atol=1e-4)
    assert (kernel == before).all()
    assert ((kernel @ fitted).argmax(axis=1) == np.arange(60) % 3).all()


def test_left_out_is_as_never_learned(points: Floats, targets: Floats, penalties: Floats) -> None:
    kernel = points @ points.T

    told = leave_one_out(kernel.copy(), targets, penalties=penalties)

    for out in (0, 7, 59):
        rest = np.delete(np.arange(60), out)
        fitted = fit(
            kernel[np.ix_(rest, rest)], targets[rest], penalties=penalties[rest], marks=landmarks(59)
        )
        assert np.allclose(told[out], kernel[out, rest] @ fitted, atol=1e-4)


def test_fewer_landmarks_come_near(
    points: Floats, targets: Floats, penalties: Floats, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(classifier, "_BLOCK", 7)  # several blocks, the last one smaller
    kernel, marks = points @ points.T, landmarks(60, most=30)

    exact = kernel @ fit(kernel, targets, penalties=penalties, marks=landmarks(60))
    near = kernel[:, marks] @ fit(kernel[marks], targets, penalties=penalties, marks=marks)

    # The kernel is of eight dimensions: thirty landmarks span it.
    assert np.abs(exact - near).max() < 0.02
    assert (exact.argmax(axis=1) == near.argmax(axis=1)).all()
