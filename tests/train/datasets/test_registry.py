import pytest

from core.errors import UsageError
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
