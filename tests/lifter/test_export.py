"""What is exported is run by another program, on sequences of any length."""

import json
from pathlib import Path

import numpy as np
import pytest

from core.skeletons import H36M_21
from lifter.checkpoint import open_lifter
from lifter.export import main
from weights.store import resolve


@pytest.mark.parametrize("name", ["lifter", "lifter-causal"])
def test_onnxruntime_lifts_sequences_of_any_length_alike(name: str, tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="onnx is not installed")
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    path = resolve(name)
    assert main([str(path), str(tmp_path / "lifter.onnx")]) == 0
    session = runtime.InferenceSession(tmp_path / "lifter.onnx", providers=["CPUExecutionProvider"])
    network, spec = open_lifter(path)
    for batch, frames in ((1, 81), (2, 100)):
        x = np.random.default_rng(frames).normal(size=(batch, frames, 22, 3)).astype(np.float32)
        (joints,) = session.run(["joints"], {"keypoints": x})
        assert joints.shape == (batch, frames - 80, 21, 4)
        np.testing.assert_allclose(joints, network.lift_sequences(x), atol=1e-4)
    header = json.loads(session.get_modelmeta().custom_metadata_map["video3d"])
    assert header["skeleton_out"]["joints"] == list(H36M_21.joints)
    assert header["model"]["causal"] == spec.model.as_dict()["causal"]


def test_what_cannot_be_exported_is_said_in_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    published = Path(__file__).parents[1] / "data" / "h36m_like" / "supervised_epoch_4.bin"
    assert main([str(published), str(tmp_path / "a.onnx")]) == 1
    assert "only a temporal ConvNet in a .safetensors file" in capsys.readouterr().err
    assert main([str(tmp_path / "none.safetensors"), str(tmp_path / "a.onnx")]) == 1
    assert "none.safetensors: is no file" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
