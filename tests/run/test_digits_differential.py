"""The digits example under the torch that is installed gives the losses that test_digits expects of torchish."""
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")
pytest.importorskip("matplotlib")

from digits_run import TORCH_ACCURACY, TORCH_LOSSES, run  # noqa: E402


def test_the_recorded_losses_are_torchs(tmp_path):
    losses, accuracies = run(picture=tmp_path / "curve.png")
    assert losses == pytest.approx(TORCH_LOSSES, rel=1e-3)
    assert accuracies[-1] == pytest.approx(TORCH_ACCURACY, abs=0.3)
