"""`python -m train`: train, evaluate and draw as VideoPose3D does; `prepare`, `wild` and `validate` are commands."""

import sys
from collections.abc import Sequence
from pathlib import Path

from core.errors import UsageError, Video3DError
from lifter.model import TemporalConvNet
from train.motion_data import Clip
from train.reproduce.evaluate import Errors, evaluate_actions, table, write_report
from train.reproduce.loop import train
from train.reproduce.options import Options, parse
from train.reproduce.session import Session, load_networks, open_session


def main(arguments: Sequence[str]) -> int:
    """Run one command line; returns the exit status."""
    try:
        return run(arguments)
    except Video3DError as error:
        if "--debug" in arguments:
            raise
        print(f"error: {error}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1


def run(arguments: Sequence[str]) -> int:
    """Do what a command line says, or raise; returns the exit status."""
    command, rest = (arguments[0], arguments[1:]) if arguments else ("", [])
    if command == "wild":
        from train.wild import run as wild

        return wild.main(rest)
    if command == "validate":
        from train.wild import validate

        return validate.main(rest)
    if command == "film":
        from train.wild.people import film

        return film.main(rest)
    if command == "prepare":
        from train.prepare import command as prepare

        return prepare.main(rest)
    run_published(parse(arguments))
    return 0


def run_published(options: Options) -> None:
    """VideoPose3D's run: evaluate or draw a checkpoint, or train and evaluate the result."""
    session = open_session(options)
    if options.evaluate:
        pose, trajectory = load_networks(session, options.evaluate)
        if options.render:
            from train.reproduce.viz import render  # drawing libraries take a while to load

            render(session, pose, trajectory)
        else:
            report(session, pose, options.evaluate)
        return
    trained = train(session)
    if trained is not None:
        report(session, trained, f"epoch_{options.epochs}.bin")


def report(session: Session, pose: TemporalConvNet, checkpoint: str) -> None:
    """Evaluate the test subjects, print the tables and write the JSON file."""
    o = session.options
    mirror = session.mirror_if_wanted
    groups: dict[str, list[Clip]] = {"all": session.labelled_clips("subjects_test")}
    if o.by_subject:
        subjects = dict.fromkeys(clip.subject for clip in groups["all"])
        groups = {
            name: [clip for clip in groups["all"] if clip.subject == name] for name in subjects
        }
    errors: dict[str, dict[str, Errors]] = {}
    for group, clips in groups.items():
        errors[group] = evaluate_actions(pose, clips, mirror)
        print(table("action" if group == "all" else group, errors[group]) + "\n")
    path = (
        Path(o.report)
        if o.report
        else session.checkpoint_dir / f"{Path(checkpoint).stem}_errors.json"
    )
    facts = {
        "checkpoint": checkpoint,
        "data_set": o.dataset,
        "keypoints": o.keypoints,
        "subjects": o.names("subjects_test"),
        "test_time_augmentation": mirror is not None,
    }
    write_report(path, errors, facts)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
