from core.archives import read_archive
from train.datasets.h36m import load_h36m


def test_reference_data_has_what_its_files_say(data_dir):
    data = load_h36m(data_dir, "gt")
    captured = read_archive(data_dir / "data_3d_h36m.npz")["positions_3d"]
    assert len(data.clips) == 4 * sum(map(len, captured.values()))
    assert data.keypoint_flip == data.skeleton.flip_order
    assert not data.clips[0].joints_m[:, 0].any()
