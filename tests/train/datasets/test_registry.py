from pathlib import Path

import numpy as np
import pytest

from core.errors import InputError, UsageError
from train.datasets.registry import datasets, find_dataset, load_dataset


def test_every_name_finds_its_data_set():
    for dataset in datasets():
        for name in dataset.names:
            assert find_dataset(name) is dataset
    assert find_dataset("custom_2") is find_dataset("custom")


def test_the_known_names_are_listed(tmp_path):
    message = "-d kinect: no such data set; there are h36m, humaneva15, humaneva20 and custom"
    for name in ("kinect", "h36m2", "humaneva"):
        with pytest.raises(UsageError, match=message.replace("kinect", name)):
            load_dataset(name, "gt", tmp_path)


def test_a_data_set_is_read_by_its_name(data_dir):
    data = load_dataset("h36m", "gt", data_dir)
    assert (data.name, data.fps) == ("h36m", 50.0)


def test_an_archive_of_something_else_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "data_2d_custom_mine.npz"
    size = {"a": {"w": 640, "h": 360}}
    for positions, metadata in (
        ([1, 2], {}),
        ({"a": 3}, {"video_metadata": size}),
        ({"a": {"custom": [np.zeros((5, 3, 2))]}}, {"video_metadata": size}),
        ({"a": {"custom": ["x"]}}, {"video_metadata": size, "keypoints_symmetry": [[1], [2]]}),
    ):
        np.savez(path, positions_2d=np.array(positions, object), metadata=metadata)
        with pytest.raises(InputError) as caught:
            load_dataset("custom", "mine", tmp_path)
        assert "\n" not in str(caught.value)
