"""`python -m train` without a sub-command: train, evaluate and draw as VideoPose3D's `run.py`."""

from collections.abc import Sequence

from core.limits import keep_freed_memory
from train.reproduce.loop import train
from train.reproduce.options import parse
from train.reproduce.output.report import report_errors
from train.reproduce.session import load_networks, open_session


def main(arguments: Sequence[str]) -> int:
    """Evaluate or draw a checkpoint, or train and evaluate the result; returns the exit status."""
    options = parse(arguments)
    session = open_session(options)
    if options.evaluate:
        pose, trajectory = load_networks(session, options.evaluate)
        if options.render:
            from train.reproduce.output.viz import render  # drawing libraries take a while to load

            render(session, pose, trajectory)
        else:
            report_errors(session, pose, options.evaluate)
        return 0
    keep_freed_memory()
    trained = train(session)
    if trained is not None:
        report_errors(session, trained, f"epoch_{options.epochs}.bin")
    return 0
