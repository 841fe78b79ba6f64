from pathlib import Path

import pytest

from core.errors import DetectorError, WeightsError
from detectors.choice import create
from detectors.detectron2.zoo import zoo_config
from tests.detectors.detectron2.small_network import library_warns, needs_library, small_network


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return small_network(tmp_path_factory.mktemp("detectron2"), 18)


@needs_library
@library_warns
def test_weights_that_do_not_belong_to_the_network_are_refused(
    small: dict[str, Path], tmp_path: Path
) -> None:
    deeper = small_network(tmp_path, 34)
    text = tmp_path / "text.pth"
    text.write_text("this is no network\n")
    for weights, reason in (
        # All of the shallow network is in there, and more.
        (deeper["weights"], "do not fit the model"),
        (text, "not weights of this model"),
        (tmp_path / "missing.pth", "no such file"),
    ):
        with pytest.raises(WeightsError, match=reason) as caught:
            create("detectron2", d2_config=small["config"], d2_weights=weights, device="cpu")
        assert str(weights) in str(caught.value)
        assert "\n" not in str(caught.value)
    with pytest.raises(WeightsError, match="do not fit the model"):
        create("detectron2", d2_config=deeper["config"], d2_weights=small["weights"], device="cpu")


@needs_library
@library_warns
def test_configs_that_find_no_coco_keypoints_are_refused(
    small: dict[str, Path], tmp_path: Path
) -> None:
    boxes = zoo_config("R-50-FPN").parents[1] / "COCO-Detection" / "faster_rcnn_R_50_FPN_3x.yaml"
    text, other = tmp_path / "text.yaml", tmp_path / "other.yaml"
    text.write_text("this is: [no config")
    other.write_text(f"_BASE_: {small['config']}\nDATASETS: {{TEST: [my_horses]}}\n")
    for config, reason in (
        (boxes, "does not find"),
        (other, "does not find"),
        (text, "not a YAML config"),
        (tmp_path / "missing.yaml", "not a YAML config"),
    ):
        with pytest.raises(DetectorError, match=reason) as caught:
            create("detectron2", d2_config=config, d2_weights=small["weights"], device="cpu")
        assert str(config) in str(caught.value)
        assert "\n" not in str(caught.value)
