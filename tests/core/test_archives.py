import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from core.archives import read_archive
from core.errors import InputError


def write_pickle(path, pickled: bytes) -> None:
    """An archive of one object array, `value`, pickled in any way."""
    header = (
        b"\x93NUMPY\x01\x00v\x00"
        + b"{'descr': '|O', 'fortran_order': False, 'shape': (), }".ljust(117)
        + b"\n"
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("value.npy", header + pickled)


@pytest.mark.parametrize("protocol", range(6))
def test_every_pickle_protocol_is_read(tmp_path, protocol):
    value = {
        "array": np.float32([1, 2]),
        "fortran": np.asfortranarray([[1, 2], [3, 4]]),
        "number": np.float64(0.5),
    }
    path = tmp_path / "a.npz"
    write_pickle(path, pickle.dumps(np.array(value, dtype=object), protocol=protocol))
    got = read_archive(path)["value"]
    assert got["number"] == 0.5
    np.testing.assert_array_equal(got["array"], [1, 2])
    np.testing.assert_array_equal(got["fortran"], [[1, 2], [3, 4]])


class Exploit:
    def __init__(self, bait: Path) -> None:
        self.bait = bait

    def __reduce__(self) -> tuple:
        return Path.touch, (self.bait,)


def test_a_pickle_that_acts_is_refused(tmp_path):
    path, bait = tmp_path / "bad.npz", tmp_path / "bait"
    np.savez(path, positions_3d=np.array({"S1": Exploit(bait)}, dtype=object))
    with pytest.raises(InputError, match=r"bad\.npz: refused, its pickle names pathlib\.Path"):
        read_archive(path)
    assert not bait.exists()


def test_raw_bytes_are_never_taken_for_objects(tmp_path):
    """A type's state can hide that it is of objects; its bytes would be followed as addresses."""
    liar = np.dtype("O", copy=True)
    liar.__setstate__((3, "|", None, None, None, -1, -1, 0))
    inner = np.zeros(1, np.int64)
    honest = pickle.dumps(np.array([inner, None], dtype=object), protocol=2)
    state = inner.__reduce__()[2]
    lying = Reduced(inner.__reduce__()[0], (np.ndarray, (0,), b"b"), (*state[:2], liar, *state[3:]))
    write_pickle(tmp_path / "honest.npz", honest)
    assert read_archive(tmp_path / "honest.npz")["value"][0] == inner
    write_pickle(tmp_path / "lying.npz", pickle.dumps(lying, protocol=2))
    with pytest.raises(InputError, match="refused, its pickle is none of numpy's"):
        read_archive(tmp_path / "lying.npz")


def test_a_shape_that_its_data_do_not_fill_is_refused(tmp_path):
    array = np.array([1, None], dtype=object)
    make, arguments, (version, _, *rest) = array.__reduce__()
    write_pickle(
        tmp_path / "large.npz",
        pickle.dumps(Reduced(make, arguments, (version, (600, 900), *rest)), protocol=2),
    )
    with pytest.raises(InputError, match="cannot reshape array of size 2"):
        read_archive(tmp_path / "large.npz")


def shared(times: int) -> np.ndarray:
    """A list that holds an array in 2**times places."""
    value = [np.arange(3)]
    for _ in range(times):
        value = [value, value]
    return np.array({"a": value}, dtype=object)


def test_shared_values_stay_shared(tmp_path):
    write_pickle(tmp_path / "shared.npz", pickle.dumps(shared(8)))
    got = read_archive(tmp_path / "shared.npz")["value"]["a"]
    assert got[0] is got[1]


def test_values_that_would_unfold_without_end_are_refused(tmp_path):
    write_pickle(tmp_path / "shared.npz", pickle.dumps(shared(60)))
    with pytest.raises(InputError, match=r"shared\.npz: refused, its lists hold each other"):
        read_archive(tmp_path / "shared.npz")


def test_members_that_share_their_bytes_are_refused(tmp_path):
    path = tmp_path / "twice.npz"
    np.savez(path, a=np.arange(50_000))
    with zipfile.ZipFile(path, "a") as archive:
        archive.infolist().append(archive.infolist()[0])
        archive.filelist.append(archive.filelist[0])
        archive._didModify = True
    with pytest.raises(InputError, match=r"twice\.npz: not a readable \.npz archive"):
        read_archive(path)


class Reduced:
    """Pickles as what `__init__` is given."""

    def __init__(self, *reduced) -> None:
        self.reduced = reduced

    def __reduce__(self) -> tuple:
        return self.reduced


def test_a_pickle_without_an_array_is_refused(tmp_path):
    write_pickle(tmp_path / "list.npz", pickle.dumps([1, 2]))
    with pytest.raises(InputError, match="refused, its pickle holds no array"):
        read_archive(tmp_path / "list.npz")


def test_what_unpacks_to_too_much_is_not_unpacked(tmp_path):
    np.savez_compressed(tmp_path / "bomb.npz", zeros=np.zeros(1 << 18))
    assert (tmp_path / "bomb.npz").stat().st_size < 1 << 14
    with pytest.raises(InputError, match=r"bomb\.npz: unpacks to more than 1 MiB"):
        read_archive(tmp_path / "bomb.npz", max_bytes=1 << 20)


def test_damaged_files_are_named(tmp_path):
    (tmp_path / "no.npz").write_bytes(b"no zip")
    with pytest.raises(InputError, match=r"no\.npz: not a readable \.npz archive"):
        read_archive(tmp_path / "no.npz")
    with pytest.raises(InputError, match=r"gone\.npz: no such file"):
        read_archive(tmp_path / "gone.npz")
    np.savez(tmp_path / "half.npz", other=np.zeros(1))
    with pytest.raises(InputError, match=r"half\.npz: positions_3d is missing, it holds other"):
        read_archive(tmp_path / "half.npz", "positions_3d")


def test_bytes_that_nothing_needs_allow_no_more_sharing(tmp_path):
    """2**24 entries in a pickle of 2**20 bytes."""
    value = np.array({"pad": bytes(1 << 20), **shared(22).item()}, dtype=object)
    write_pickle(tmp_path / "shared.npz", pickle.dumps(value))
    with pytest.raises(InputError, match=r"shared\.npz: refused, its lists hold each other"):
        read_archive(tmp_path / "shared.npz")
