"""The errors of an evaluation: a table for people, JSON for programs."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from core.errors import OutputError
from core.files import written_whole
from lifter.model import TemporalConvNet
from train.motion_data import Clip
from train.reproduce.evaluate import PoseErrors, average, evaluate_actions
from train.reproduce.session import Session


def report_errors(session: Session, pose: TemporalConvNet, checkpoint: str) -> None:
    """Evaluate the test subjects, print the tables and write the JSON file.

    Args:
        session: The run.
        pose: The pose network.
        checkpoint: The name of its checkpoint, after which the JSON file is called unless
            `--report` says otherwise.

    Raises:
        OutputError: The system refuses to write.
    """
    o = session.options
    mirror = session.test_mirror
    groups: dict[str, list[Clip]] = {"all": session.labelled_clips("subjects_test")}
    if o.by_subject:
        subjects = dict.fromkeys(clip.subject for clip in groups["all"])
        groups = {
            name: [clip for clip in groups["all"] if clip.subject == name] for name in subjects
        }
    errors: dict[str, dict[str, PoseErrors]] = {}
    for group, clips in groups.items():
        errors[group] = evaluate_actions(pose, clips, mirror)
        print(format_table("action" if group == "all" else group, errors[group]) + "\n")
    facts = {
        "checkpoint": checkpoint,
        "data_set": o.dataset,
        "keypoints": o.keypoints,
        "subjects": o.names("subjects_test"),
        "test_time_augmentation": mirror is not None,
    }
    beside = session.checkpoint_dir / f"{Path(checkpoint).stem}_errors.json"
    write_report(Path(o.report) if o.report else beside, errors, facts)


def format_table(title: str, actions: dict[str, PoseErrors]) -> str:
    """The errors of each action and their average as lines of text, under `title`."""
    width = max(len(name) for name in (title, "average", *actions))
    lines = [f"{title:<{width}}    MPJPE  P-MPJPE  N-MPJPE    MPJVE   mm"]
    for name, e in (*actions.items(), ("average", average(actions))):
        lines.append(
            f"{name:<{width}} {e.mpjpe:8.1f} {e.p_mpjpe:8.1f} {e.n_mpjpe:8.1f} {e.mpjve:8.2f}"
        )
    return "\n".join(lines)


def write_report(
    path: Path, groups: dict[str, dict[str, PoseErrors]], facts: dict[str, Any]
) -> None:
    """Write an evaluation as JSON.

    Args:
        path: The file's path; its folder is made if it is missing.
        groups: Group → action → errors; a group is a subject, or "all" of them.
        facts: What was evaluated: the entries that precede the errors.

    Raises:
        OutputError: The system refuses to write.
    """
    report = {
        "unit": "mm",
        **facts,
        "errors": {
            group: {
                "actions": {name: asdict(errors) for name, errors in actions.items()},
                "average": asdict(average(actions)),
            }
            for group, actions in groups.items()
        },
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(path) as partial:
            partial.write_text(json.dumps(report, indent=1) + "\n")
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error})") from error
