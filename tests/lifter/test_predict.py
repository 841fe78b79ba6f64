from dataclasses import replace

import numpy as np
import pytest
import torch

from core.camera import pixels_to_rays
from core.skeletons import COCO_17, COCO_21, H36M_17, H36M_21
from lifter.bones import rigid_bones
from lifter.checkpoint import LifterSpec
from lifter.config import ModelConfig
from lifter.model import TemporalConvNet
from lifter.normalize import person_windows, screen_from_pixels
from lifter.predict import Lifter, fill_between
from testkit.walker import CAMERA, keypoints, moving_root, sequence_of, walking
from weights.store import resolve


class Recording(TemporalConvNet):
    """Keeps its last input."""

    def forward_windows(self, x: torch.Tensor) -> torch.Tensor:
        self.received = x
        return super().forward_windows(x)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.received = x
        return super().forward(x)


def person_lifter() -> Lifter:
    config = ModelConfig(18, 3, 17, (3, 3), 16)
    return Lifter(
        Recording(config).eval(), LifterSpec(config, COCO_17, H36M_17, 30.0, "person"), flip=False
    )


def test_training_and_inference_give_the_network_the_same_input() -> None:
    points = keypoints(walking(30), np.tile([0.5, 0.0, 4.0], (30, 1)))
    lifter = person_lifter()
    lifter.lift(sequence_of(points), CAMERA)
    rays = torch.from_numpy(pixels_to_rays(points, CAMERA)).float()
    for t in (4, 12, 25):
        window, _ = person_windows(rays[None, t - 4 : t + 5], torch.full((1, 9, 17), 0.9), 4)
        torch.testing.assert_close(lifter.model.received[t], window[0])


def test_screen_normalisation_reaches_the_network_padded_at_both_ends() -> None:
    config = ModelConfig(17, 2, 17, (3, 3), 16)
    lifter = Lifter(
        Recording(config).eval(), LifterSpec(config, COCO_17, H36M_17, 30.0, "screen"), flip=False
    )
    points = keypoints(walking(30), np.tile([0.5, 0.0, 4.0], (30, 1)))
    poses = lifter.lift(sequence_of(points), CAMERA)
    expected = screen_from_pixels(points, 1920, 1080)
    assert poses.joints_m.shape == (30, 17, 3)
    np.testing.assert_allclose(lifter.model.received[0, 4:-4], expected, atol=1e-5)
    np.testing.assert_allclose(
        lifter.model.received[0, :4], np.repeat(expected[:1], 4, 0), atol=1e-5
    )


@pytest.fixture
def as_lifted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the fit of joints to their keypoints: what is tested holds of the network."""
    monkeypatch.setattr("lifter.predict.fit_keypoints", lambda joints, root, *_: (joints, root))
    monkeypatch.setattr("lifter.predict.ndimage.gaussian_filter1d", lambda joints, *_, **__: joints)


@pytest.mark.usefixtures("as_lifted")
def test_the_position_in_the_picture_does_not_matter() -> None:
    """A camera that is turned away sees the same person: the same pose, in that camera's axes."""
    joints, root = walking(20), np.tile([0.0, 0.0, 4.0], (20, 1))
    pan = np.radians(25)
    turn = np.array([[np.cos(pan), 0, np.sin(pan)], [0, 1, 0], [-np.sin(pan), 0, np.cos(pan)]])
    lifter = person_lifter()
    straight = lifter.lift(sequence_of(keypoints(joints, root)), CAMERA)
    turned = lifter.lift(sequence_of(keypoints(joints @ turn.T, root @ turn.T)), CAMERA)
    np.testing.assert_allclose(turned.joints_m, straight.joints_m @ turn.T, atol=2e-3)


def test_the_size_in_the_picture_changes_only_the_angular_size() -> None:
    joints = walking(20)
    small = torch.from_numpy(
        pixels_to_rays(keypoints(joints * 0.01, np.tile([0, 0, 4.0], (20, 1))), CAMERA)
    )[None]
    large = small * 2
    windows = [
        person_windows(rays.float(), torch.ones(1, 20, 17), 10)[0] for rays in (small, large)
    ]
    torch.testing.assert_close(windows[0][:, :, :17], windows[1][:, :, :17], atol=2e-3, rtol=0)


def test_the_mirrored_person_is_averaged_in() -> None:
    """So the mirror image of a person is lifted to the mirror image of the joints."""
    lifter = person_lifter()
    lifter.flip = True
    joints, root = walking(20), np.tile([0.3, 0, 4.0], (20, 1))
    mirrored = joints[:, H36M_17.flip_order] * [-1, 1, 1]
    last, other = (
        lifter.lift_last([sequence_of(keypoints(*person))], CAMERA)[0][0]
        for person in ((joints, root), (mirrored, root * [-1, 1, 1]))
    )
    np.testing.assert_allclose(other[H36M_17.flip_order] * [-1, 1, 1], last, atol=1e-4)


def test_lifting_in_turns_with_the_mirror_image_is_nearly_lifting_both() -> None:
    lifter = Lifter.load(resolve("lifter"))
    sequence = sequence_of(keypoints(walking(60), moving_root(60)))
    in_turns = lifter.lift(sequence, CAMERA).joints_m
    lift, every = Lifter._lift_frames, np.arange(60)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Lifter, "_lift_frames", lambda *given: lift(*given[:3], every, given[4]))
        patch.setattr("lifter.predict.fill_between", lambda values, _: values)
        both = lifter.lift(sequence, CAMERA).joints_m
    off_m = np.linalg.norm(in_turns - both, axis=-1)
    assert 0 < off_m.mean() < 0.002


def test_cubics_are_interpolated_exactly_but_near_the_ends() -> None:
    t = np.arange(12.0)
    cubic = (t - 3) * (t - 7) * (t - 8.5)
    known = (t % 2 == 0) | (t == 11)
    filled = fill_between(cubic[known], known)
    np.testing.assert_allclose(filled[2:9], cubic[2:9], atol=1e-12)
    np.testing.assert_allclose(filled[[1, 9]], (cubic[[0, 8]] + cubic[[2, 10]]) / 2)
    assert filled[11] == cubic[11]


def test_an_unseen_keypoint_does_not_reach_the_network() -> None:
    points = keypoints(walking(20), np.tile([0, 0, 4.0], (20, 1)))
    scores = np.full((20, 17), 0.9)
    points[:, 9], scores[:, 9] = np.nan, 0.0
    lifter = person_lifter()
    poses = lifter.lift(sequence_of(points, scores), CAMERA)
    assert np.isfinite(poses.joints_m).all()
    assert (lifter.model.received[:, :, 9] == 0).all()


def test_keypoints_of_another_skeleton_are_refused() -> None:
    other = replace(COCO_17, name="halpe_17")
    with pytest.raises(ValueError, match="expected coco_17 keypoints, got halpe_17"):
        person_lifter().lift(replace(sequence_of(np.zeros((5, 17, 2))), skeleton=other), CAMERA)


def test_jitter_of_the_network_is_smoothed_and_what_stands_stays() -> None:
    lifter = person_lifter()
    sequence = sequence_of(keypoints(walking(30), moving_root(30)))
    steady = lifter.lift(sequence, CAMERA).joints_m
    jitter = np.random.default_rng(0).normal(0, 0.01, (30, 17, 3))
    lifted = lifter._joints
    lifter._joints = lambda *given: (lifted(*given)[0] + jitter, lifted(*given)[1])  # type: ignore
    shaken = lifter.lift(sequence, CAMERA).joints_m
    added = np.linalg.norm(np.diff(shaken - steady, axis=0), axis=-1).mean()
    assert added < 0.5 * np.linalg.norm(np.diff(jitter, axis=0), axis=-1).mean()


@pytest.mark.usefixtures("as_lifted")
@pytest.mark.parametrize("normalization", ["person", "screen"])
def test_the_last_frame_alone_is_lifted_as_within_its_sequence(normalization: str) -> None:
    joints_in, numbers = (18, 3) if normalization == "person" else (17, 2)
    config = ModelConfig(joints_in, numbers, 17, (3, 3), 16, causal=True)
    lifter = Lifter(
        TemporalConvNet(config).eval(), LifterSpec(config, COCO_17, H36M_17, 30.0, normalization)
    )
    sequence = sequence_of(keypoints(walking(30), moving_root(30)))
    shorter = sequence_of(keypoints(walking(40)[5:20], moving_root(40)[5:20]))
    both, _ = lifter.lift_last([sequence, shorter], CAMERA)
    for alone, each in zip(both, (sequence, shorter), strict=True):
        poses = np.stack([alone, lifter.lift(each, CAMERA).joints_m[-1]])
        np.testing.assert_allclose(*rigid_bones(poses, np.ones(17)), atol=1e-5)  # lift makes bones
        # half rigid


@pytest.mark.parametrize("normalization", ["person", "screen"])
def test_the_last_frames_of_people_are_finished_as_their_sequences_are(normalization: str) -> None:
    config = ModelConfig(17, 2, 17, (3, 3), 16)
    lifter = Lifter(
        TemporalConvNet(config).eval(), LifterSpec(config, COCO_17, H36M_17, 30.0, normalization)
    )
    shaken = np.random.default_rng(0).normal(0, 0.03, (30, 17, 3))
    people = [
        (walking(30) + shaken, sequence_of(keypoints(walking(30), moving_root(30)))),
        (walking(9), sequence_of(np.full((9, 17, 2), np.nan), np.zeros((9, 17)))),
        (walking(1), sequence_of(keypoints(walking(1), moving_root(1)))),
    ]
    for person, (joints, root) in zip(people, lifter.finish_last(people, CAMERA), strict=True):
        whole = lifter.finish(*person, CAMERA)
        np.testing.assert_allclose(joints, whole[0][-1], atol=1e-9)
        np.testing.assert_allclose(root, whole[1][-1], atol=1e-9)


def test_hidden_joints_are_less_sure_by_the_factor_of_the_header() -> None:
    config = ModelConfig(22, 3, 21, (3, 3), 16, features_out=4)
    spec = LifterSpec(config, COCO_21, H36M_21, 30.0, "person")
    factors = tuple(np.linspace(1, 3, 21).tolist())
    sequence = sequence_of(keypoints(walking(20), moving_root(20)))
    sequence.scores[5, COCO_17.index("left_wrist")] = 0.0
    network = TemporalConvNet(config).eval()
    plain, told = (
        Lifter(network, each).lift(sequence, CAMERA).sigma_m
        for each in (spec, replace(spec, hidden_sigma=factors))
    )
    expected = np.ones((20, 21))
    expected[:, 17:] = factors[17:]  # COCO-17 has no feet
    expected[5, H36M_21.index("l_wrist")] = factors[H36M_21.index("l_wrist")]
    np.testing.assert_allclose(told / plain, expected)
