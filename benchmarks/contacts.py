"""How well foot contacts are found: against captured motion, and against steps counted by hand.

    python -m benchmarks.contacts WALK.bvh WALK.bvh                # e.g. two of Bandai-Namco's
    python -m benchmarks.contacts WALK.bvh --lifter FILE --live-lifter FILE --no-sample

Captured motion is filmed from three sides and detected with the errors of `python -m train
validate` at noise 1, lifted and grounded, as for videos and as live. True contacts are read off the
capture: heels and toes that are low and slow there. On the sample clip, the steps of the walking
woman were marked by eye, frame by frame, where both feet are in the picture.

F1 is that of frames in contact: of a foot (by heel or toe), of heels, of toes. Strikes and toe-offs
are counted: near a true one of the same foot, true, found; with the mean error of those that are
near, without and with its sign, found minus true. A lifter without feet has contacts of ankles,
which are meant to be shorter.
"""

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from core.options import Parser
from core.skeletons import H36M_21, Skeleton
from core.types import CameraPoses, Floats
from lifter.predict import Lifter
from pipeline.config import PipelineConfig
from pipeline.grounding.feet.contacts import contact_speeds
from pipeline.grounding.feet.soles import Bools, seen_feet, soles
from pipeline.grounding.feet.stances import stances
from pipeline.grounding.online import OnlineWorld
from pipeline.grounding.person_motion import PersonMotion
from pipeline.grounding.world import estimate_world
from pipeline.lifting.online import OnlineLifter, PersonSample
from pipeline.lifting.options import LiftOptions
from pipeline.lifting.resampling import smooth
from pipeline.run import process_video
from testkit.command_lines import existing, run_benchmark
from train.wild.motion.mocap import load_mocap
from train.wild.validation_clips import detected, film
from weights.store import resolve

FPS = 30.0
SOLES = H36M_21.indices(("l_heel", "l_toe", "r_heel", "r_toe"))
VIEWS = ((5.0, 20.0), (5.0, 110.0), (15.0, 65.0))
"""Pitch of the camera and yaw of the performance, degrees."""

_LOW_M, _SLOW_M_S = 0.03, 0.4  # below and slower than which a captured heel or toe is in contact
_SHORTEST = 3  # frames of a true contact, or of a gap between two
_SETTLE_FRAMES = 30  # of a live run, before up and floor are known
_NEAR_S = 0.25  # beyond which two events are different ones

SAMPLE_FRAMES = slice(40, 188)
"""In which both feet of the sample's walking woman are in the picture."""
SAMPLE_STANCES = (
    ("left", 40, 42, 61, 68), ("right", 60, 62, 81, 87), ("left", 78, 82, 99, 106),
    ("right", 98, 101, 118, 124), ("left", 115, 118, 136, 142), ("right", 134, 137, 155, 160),
    ("left", 152, 155, 172, 178), ("right", 170, 173, 192, 199),
)  # fmt: skip
"""Her steps: foot and the frames of heel strike, foot flat, heel off and toe off, seen by eye."""


@dataclass(frozen=True)
class Grounded:
    """World joints (T, J, 3) metres of a skeleton and contacts (T, 4), found and true."""

    joints_m: Floats
    skeleton: Skeleton
    found: Bools
    truth: Bools

    @property
    def soles(self) -> list[int]:
        """The joints that touch the ground."""
        return soles(self.skeleton).joints

    def cut(self, frames: slice) -> "Grounded":
        """Some of the frames."""
        return replace(
            self,
            joints_m=self.joints_m[frames],
            found=self.found[frames],
            truth=self.truth[frames],
        )


def true_contacts(soles_m: Floats) -> Bools:
    """(T, 4) which captured heels and toes (T, 4, 3), z up, are low and slow."""
    speeds = np.linalg.norm(np.gradient(soles_m, axis=0), axis=-1) * FPS
    floor = np.percentile(soles_m[..., 2].min(1), 10)
    contacts = (soles_m[..., 2] - floor < _LOW_M) & (speeds < _SLOW_M_S)
    for own in contacts.T:
        for value in (True, False):  # gaps are closed before what is short is dropped
            _drop_short(own, not value)
    return contacts


def _drop_short(mask: Bools, value: bool) -> None:
    """Invert runs of `value` in a mask (T,) that are short and do not touch its ends."""
    edges = np.flatnonzero(np.diff(mask)) + 1
    for start, stop in pairwise(edges):
        if mask[start] == value and stop - start < _SHORTEST:
            mask[start:stop] = not value


def grounded(lifter: Lifter, camera: Floats, truth: Bools, seed: int) -> Grounded:
    """Lift and ground a filmed clip (T, 22, 3) as videos are."""
    sequence, intrinsics = detected(camera, FPS, 1.0, seed)
    sequence = replace(sequence, keypoints=smooth(sequence.keypoints, FPS, "savgol"))
    poses = lifter.lift(sequence, intrinsics)
    poses = replace(poses, joints_m=smooth(poses.joints_m, FPS, "savgol"))
    motion = PersonMotion(poses, np.arange(len(camera)), seen_feet(sequence.scores))
    joints, contacts = estimate_world([motion], FPS).ground(motion)
    return Grounded(joints, poses.skeleton, contacts, truth)


def grounded_live(lifter: Lifter, camera: Floats, truth: Bools, seed: int) -> Grounded:
    """Lift and ground a filmed clip (T, 22, 3) as a live source, frame by frame."""
    sequence, intrinsics = detected(camera, FPS, 1.0, seed)
    online, world = OnlineLifter(lifter, intrinsics, LiftOptions()), OnlineWorld()
    keypoints = np.where(sequence.observed[..., None], sequence.keypoints, np.nan)
    people = []
    for time_s, *seen in zip(
        sequence.times_s, keypoints, sequence.scores, sequence.keypoints_3d, strict=True
    ):
        pose: CameraPoses = online.lift(time_s, {1: PersonSample(*seen)})[1]
        people.append(world.update(time_s, {1: (pose, seen[1])})[1])
        world.learn()
    joints = np.stack([one.joints_m for one in people])
    contacts = np.stack([one.contacts for one in people])
    whole = Grounded(joints, lifter.spec.skeleton_out, contacts, truth)
    return whole.cut(slice(_SETTLE_FRAMES, None))


def sample(lifter: str) -> Grounded:
    """The sample clip's walking woman: who travels farthest."""
    truth = np.zeros((SAMPLE_FRAMES.stop, 4), dtype=bool)
    for foot, strike, flat, heel_off, toe_off in SAMPLE_STANCES:
        heel = 2 * ("left", "right").index(foot)
        truth[strike:heel_off, heel] = True
        truth[flat:toe_off, heel + 1] = True
    with tempfile.TemporaryDirectory() as folder:
        config = PipelineConfig.from_flat(lifter=lifter, render=False)
        result = process_video(resolve("demo-clip"), config, Path(folder))
        woman = max(result.people, key=lambda person: np.ptp(person.joints_world_m[:, 0, 0]))
        rows = np.searchsorted(woman.frame_indices, np.arange(*SAMPLE_FRAMES.indices(len(truth))))
        joints, contacts = woman.joints_world_m[rows], woman.contacts[rows]
        return Grounded(joints, result.joints, contacts, truth[SAMPLE_FRAMES])


def f1(found: Bools, truth: Bools) -> float:
    """Harmonic mean of precision and recall of flags."""
    return float(2 * (found & truth).sum() / max(found.sum() + truth.sum(), 1))


def event_errors_ms(one: Grounded, event: str) -> tuple[Floats, int, int]:
    """How well an event of `Stance` is found.

    Returns:
        Errors (N,) ms of those that are near a true one; how many are true; how many are found.
    """
    times = np.arange(len(one.truth)) / FPS
    true, found = (
        [(stance.foot, at) for stance in stances(contacts, times) if (at := getattr(stance, event))]
        for contacts in (one.truth, one.found)
    )
    errors = []
    for foot, at in true:
        off = [other - at for side, other in found if side == foot]
        if off and abs(nearest := min(off, key=abs)) < _NEAR_S:
            errors.append(1000 * nearest)
    return np.array(errors), len(true), len(found)


def row(name: str, runs: Sequence[Grounded]) -> str:
    """A line of the table, over several runs."""
    found = np.concatenate([one.found for one in runs])
    truth = np.concatenate([one.truth for one in runs])
    heels, toes = (found[:, ::2], truth[:, ::2]), (found[:, 1::2], truth[:, 1::2])
    feet = heels[0] | toes[0], heels[1] | toes[1]
    line = f"{name:34}" + "".join(f"{f1(*pair):7.3f}" for pair in (feet, heels, toes))
    for event in ("heel_strike_s", "toe_off_s"):
        errors, true, have = zip(*(event_errors_ms(one, event) for one in runs), strict=True)
        off = np.append(np.concatenate(errors), [])
        counts = f"{len(off)}/{sum(true)}/{sum(have)}"
        line += f"{counts:>11}" + (
            f"{np.abs(off).mean():5.0f}{off.mean():+5.0f}" if len(off) else ""
        )
    skates = [contact_speeds(one.joints_m, one.found, one.skeleton, FPS) for one in runs]
    lowest = [np.nanmin(one.joints_m[:, one.soles, 2]) for one in runs]
    return line + f"{np.concatenate(skates).mean():8.3f}{100 * min(lowest):7.1f}"


def main() -> None:
    """Run the chosen comparisons and print a table."""
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("walks", nargs="*", type=existing, help="captured motion, .bvh")
    parser.add_argument("--lifter", default="lifter", help="for videos (default: %(default)s)")
    parser.add_argument("--live-lifter", default="lifter-causal", help="for live sources")
    parser.add_argument("--no-sample", action="store_true", help="without the sample clip")
    chosen = parser.parse_args()
    lifter, live = (Lifter.load(resolve(name)) for name in (chosen.lifter, chosen.live_lifter))
    groups = f"{'':34}{'F1 of frames':>21}{'heel strikes':>21}{'toe-offs':>21}"
    event = f"{'all':>11}{'ms':>5}{'bias':>5}"
    print(groups + f"{'skate':>8}{'lowest':>7}")
    print(f"{'':34}{'foot':>7}{'heel':>7}{'toe':>7}{event}{event}{'m/s':>8}{'cm':>7}")
    for clip in load_mocap(chosen.walks) if chosen.walks else []:
        filmed = [film(clip, FPS, *view) for view in VIEWS]
        still = film(clip, FPS, 0.0, 0.0)[:, SOLES]
        truth = true_contacts(np.stack([still[..., 0], still[..., 2], -still[..., 1]], -1))
        for kind, network, how in (("", lifter, grounded), (", live", live, grounded_live)):
            runs = [how(network, camera, truth, seed) for seed, camera in enumerate(filmed)]
            print(row(clip.name + kind, runs), flush=True)
    if not chosen.no_sample:
        print(row("sample's walking woman", [sample(chosen.lifter)]))


if __name__ == "__main__":
    run_benchmark(main)
