"""The data sets by the names that `-d` knows.

A new data set is a module beside this one with a `DATASET`, and its name in `_MODULES`.
"""

from functools import cache
from importlib import import_module
from pathlib import Path

from core.errors import InputError, UsageError, one_line
from train.datasets.base import Dataset
from train.motion_data import MotionData

_MODULES = ("h36m", "humaneva", "custom")


@cache
def datasets() -> tuple[Dataset, ...]:
    """All data sets, in the order in which they are listed for people."""
    return tuple(import_module(f"train.datasets.{module}").DATASET for module in _MODULES)


def names_in_words(last: str) -> str:
    """The names of all data sets, separated by commas and, before the final one, `last`."""
    *others, final = (name for dataset in datasets() for name in dataset.names)
    return f"{', '.join(others)} {last} {final}"


def find_dataset(name: str) -> Dataset:
    """The data set called `name`.

    Raises:
        UsageError: There is none; the message lists the names.
    """
    for dataset in datasets():
        if dataset.is_called(name):
            return dataset
    raise UsageError(f"-d {name}: no such data set; there are {names_in_words('and')}")


def load_dataset(name: str, keypoints: str, data_dir: Path) -> MotionData:
    """Read a data set.

    Args:
        name: What `-d` says.
        keypoints: The name of the 2D keypoints, `-k`.
        data_dir: The folder of the archives.

    Raises:
        UsageError: There is no data set of that name.
        InputError: An archive is missing or cannot be used.
    """
    dataset = find_dataset(name)
    try:
        return dataset.load(data_dir, keypoints, name)
    except (AttributeError, LookupError, OverflowError, TypeError, ValueError) as error:
        what = f"{one_line(error)} is missing" if isinstance(error, KeyError) else one_line(error)
        raise InputError(
            f"{data_dir}: -d {name} -k {keypoints}: an archive is not as VideoPose3D's ({what})"
        ) from error
