"""The main job: a convolutional network on real handwritten digits, by a script that knows only torch."""
import pytest
from digits_run import TORCH_LOSSES, run

pytest.importorskip("sklearn")
pytest.importorskip("matplotlib")


def test_the_digits_example_learns_as_under_torch(tmp_path):
    picture = tmp_path / "curve.png"
    losses, accuracies = run("-m", "torchish", picture=picture)
    assert losses == pytest.approx(TORCH_LOSSES, rel=1e-3)
    assert accuracies[-1] >= 97
    assert picture.read_bytes().startswith(b"\x89PNG")
