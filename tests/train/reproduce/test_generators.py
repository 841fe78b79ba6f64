import numpy as np
import pytest
import torch

from lifter.published.pickles import read_published
from train.cameras import Camera
from train.datasets.h36m import load_h36m
from train.motion_data import Clip
from train.reproduce.evaluate import Mirror
from train.reproduce.generators import BatchSampler, Examples

MIRROR = Mirror([0, 2, 1], [1, 0])
CPU = torch.device("cpu")


def clip(frames: int, number: int) -> Clip:
    """A clip whose keypoints and joints tell which clip and frame they are of."""
    lens = np.arange(9, dtype=np.float32) + 1
    keypoints = np.full((frames, 3, 2), [number, 0], np.float32)
    keypoints[..., 1] += np.arange(frames)[:, None] + np.array([0.0, 0.1, 0.2])
    joints = np.zeros((frames, 2, 3), np.float32) + np.arange(frames)[:, None, None]
    return Clip(
        f"S{number}", "walk", 0, Camera("c", 10, 10, 0, lens), keypoints, joints, joints[:, 0] + 5
    )


def frames_of(keypoints: torch.Tensor) -> list[list[int]]:
    return keypoints[:, :, 0, 1].int().tolist()


def test_every_frame_is_an_example_and_clips_stand_still_beyond_their_ends():
    examples = Examples([clip(3, 1), clip(2, 2)], 1, (1, 1), None, CPU)
    batch = examples.gather(torch.arange(len(examples)))
    assert frames_of(batch.keypoints) == [[0, 0, 1], [0, 1, 2], [1, 2, 2], [0, 0, 1], [0, 1, 1]]
    assert batch.keypoints[:, 0, 0, 0].tolist() == [1, 1, 1, 2, 2]
    assert batch.joints_m[:, 0, 0, 0].tolist() == [0, 1, 2, 0, 1]
    assert batch.root_m.shape == (5, 1, 1, 3)
    assert batch.lens.shape == (5, 9)


def test_a_causal_network_sees_only_the_past():
    batch = Examples([clip(3, 1)], 1, (2, 0), None, CPU).gather(torch.arange(3))
    assert frames_of(batch.keypoints) == [[0, 0, 0], [0, 0, 1], [0, 1, 2]]


def test_strides_cover_the_clip_evenly():
    """The figure in VideoPose3D's documentation: 8 frames, receptive field 5, strides 1, 2 and 4.

    Then a clip whose length is no multiple of the stride.
    """
    for stride, count in ((1, 8), (2, 4), (4, 2)):
        batch = Examples([clip(8, 1)], stride, (2, 2), None, CPU).gather(torch.arange(count))
        assert batch.joints_m[:, :, 0, 0].flatten().tolist() == list(range(8))
        assert batch.keypoints.shape[1] == stride + 4
    rest = Examples([clip(5, 1)], 4, (0, 0), None, CPU).gather(torch.arange(2))
    assert rest.joints_m[:, :, 0, 0].tolist() == [[0, 0, 1, 2], [3, 4, 4, 4]]


def test_mirrored_copies_follow_their_clip():
    examples = Examples([clip(2, 1), clip(1, 2)], 1, (0, 0), MIRROR, CPU)
    batch = examples.gather(torch.arange(len(examples)))
    assert batch.keypoints[:, 0, 0, 0].tolist() == [1, 1, -1, -1, 2, -2]
    torch.testing.assert_close(batch.keypoints[2, 0, :, 1], torch.tensor([0.0, 0.2, 0.1]))
    assert batch.root_m[:, 0, 0, 0].tolist() == [5, 6, -5, -6, 5, -5]
    assert batch.root_m[:, 0, 0, 1].tolist() == [5, 6, 5, 6, 5, 5]
    assert batch.lens[2].tolist() == [1, 2, -3, 4, 5, 6, 7, -8, 9]


@pytest.mark.parametrize("stride", [1, 7])
def test_batches_are_those_of_the_published_generator(stride):
    """Written out as its documentation describes it, in the simplest way."""
    clips, rng = [clip(20, 1), clip(13, 2)], np.random.RandomState(1234)
    pairs = []
    for number, one in enumerate(clips):
        count = (len(one) + stride - 1) // stride
        offset = (count * stride - len(one)) // 2
        bounds = [(number, i * stride - offset, flip) for flip in (0, 1) for i in range(count)]
        pairs += bounds
    shuffled = BatchSampler(Examples(clips, stride, (2, 2), MIRROR, CPU), 8, 1234)
    got = torch.cat([shuffled.examples.gather(which).keypoints for which in shuffled.epoch()])
    expected = []
    for number, start, flip in rng.permutation(pairs):
        frames = np.clip(np.arange(start - 2, start + stride + 2), 0, len(clips[number]) - 1)
        keypoints = clips[number].keypoints[frames].copy()
        if flip:
            keypoints = keypoints[:, MIRROR.keypoints] * [-1, 1]
        expected.append(keypoints)
    np.testing.assert_array_equal(got, np.float32(expected))


def test_shuffling_is_where_the_published_program_was_after_as_many_epochs(data_dir):
    published = read_published(data_dir / "supervised_epoch_4.bin")["random_state"]
    data = load_h36m(data_dir, "gt")
    clips = data.select("", ["S1", "S5", "S6", "S7", "S8"])
    shuffled = BatchSampler(
        Examples(clips, 1, (13, 13), Mirror(data.keypoint_flip, data.skeleton.flip_order), CPU),
        1024,
        1234,
    )
    for _ in range(4):
        list(shuffled.epoch())
    assert str(shuffled.state()[0].get_state()) == str(published.get_state())


def test_a_restored_order_goes_on_where_it_stopped():
    def fresh() -> BatchSampler:
        return BatchSampler(Examples([clip(20, 1)], 1, (0, 0), None, CPU), 3, 7)

    straight, stopped, again = fresh(), fresh(), fresh()
    batches = [which.tolist() for which, _ in zip(straight.endless(), range(20), strict=False)]
    half = stopped.endless()
    first = [next(half).tolist() for _ in range(9)]
    again.restore(*stopped.state())
    rest = [which.tolist() for which, _ in zip(again.endless(), range(11), strict=False)]
    assert first + rest == batches
