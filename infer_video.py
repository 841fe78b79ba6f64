"""Video in, 3D people out: `python infer_video.py clip.mp4` → `output/clip/`."""

import argparse
import sys
import traceback
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Literal

from core.errors import UsageError, Video3DError
from detectors.base import AUTO, choose
from detectors.base import NAMES as DETECTORS
from detectors.detectron2 import DEFAULT_MODEL, DEVICES, MODELS
from detectors.stored.layouts import LAYOUTS
from pipeline.batch.addresses import Address, place
from pipeline.batch.run import ENGINES, BatchOptions, run_batch
from pipeline.config import PipelineConfig
from pipeline.grounding.world import CAMERAS
from pipeline.lifting.resampling import SMOOTHINGS
from pipeline.media.live_source import LiveSource, find_live
from pipeline.runtime.logs import LEVELS, LOG, LogOptions, printable, start_logging
from pipeline.runtime.signals import end_on_sigterm
from pipeline.tracking.selection import PEOPLE_ORDERS


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status: 0 all done, 1 some input failed, 2 the command line is wrong."""
    options = vars(_parser().parse_intermixed_args(arguments))
    words, debug = options.pop("videos"), options.pop("debug")
    log = LogOptions(options.pop("log_level"), options.pop("log_json"))
    start_logging(log)
    end_on_sigterm()
    try:
        batch = BatchOptions(
            **{field.name: options.pop(field.name) for field in fields(BatchOptions)}
        )
        options["output"] = place(options["output"])
        config = PipelineConfig(**options)
        live = _only_live(words, config, batch)
        if config.detector == AUTO and config.keypoints is None:
            choice = choose(AUTO, **config.detectron2_options)
            LOG.warning("--detector auto takes %s: %s", choice.name, choice.why)
        return (
            run_batch(words, config, batch, log, debug) if live is None else _run_live(live, config)
        )
    except UsageError as error:
        print(f"infer_video.py: {printable(error)}", file=sys.stderr)
        return 2
    except Video3DError as error:
        LOG.error(str(error), extra={"trace": traceback.format_exc() if debug else ""})
        return 1
    except KeyboardInterrupt:
        LOG.error("stopped before the end; the same command goes on from here")
        return 130


def _only_live(
    words: Sequence[str], config: PipelineConfig, batch: BatchOptions
) -> LiveSource | None:
    """The live source, None where all are files."""
    live = next((source for word in words if (source := find_live(word))), None)
    if live is None:
        config.require_file()
    elif len(words) > 1:
        raise UsageError(f"{live.shown} is live: give it alone")
    elif isinstance(config.output, Address):
        raise UsageError(
            f"--output {config.output}: what is live is recorded in a folder on this machine"
        )
    else:
        config.require_live()
        batch.require_live()
    return live


def _run_live(source: LiveSource, config: PipelineConfig) -> int:
    from pipeline.live.run import (
        process_live,
    )  # after the command line is known to be right: torch takes its time

    try:
        folder, report = process_live(source, config)
    except KeyboardInterrupt:  # the second one
        LOG.error("%s: broken off, nothing is kept", source.shown)
        return 130
    frames, missed, people = (
        report["frames"],
        report["live"]["frames_missed"],
        len(report["people"]),
    )
    words = f"{frames} frames, {missed} missed, {people} {'person' if people == 1 else 'people'}"
    print(f"{folder}: {words}", file=sys.stderr)  # stdout may be --stream's
    for warning in report["warnings"]:
        LOG.warning("%s: %s", source.shown, warning)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="infer_video.py", description="Any video to 3D human motion."
    )
    add = parser.add_argument
    videos = (
        "videos, pictures, folders, patterns, - for a list on stdin; or one camera, address or FIFO"
    )
    add("videos", nargs="+", metavar="VIDEO", help=videos)
    add(
        "-o",
        "--output",
        default=str(PipelineConfig.output),
        help="folder for results (default: %(default)s)",
    )
    add(
        "--detector",
        choices=(*DETECTORS, AUTO),
        default="blazepose",
        help="who finds people (default: %(default)s)",
    )
    add(
        "--d2-model",
        choices=MODELS,
        help=f"network of Detectron2's model zoo (default: {DEFAULT_MODEL})",
    )
    add(
        "--d2-config",
        type=Path,
        metavar="FILE",
        help="any other keypoint network of Detectron2, as YAML",
    )
    add(
        "--d2-weights",
        type=Path,
        metavar="FILE",
        help="weights for Detectron2, instead of the zoo's",
    )
    add(
        "--device",
        choices=DEVICES,
        default="auto",
        help="where Detectron2 runs (default: %(default)s)",
    )
    add("--half", action="store_true", help="let Detectron2 compute in half precision, on a GPU")
    add(
        "--keypoints",
        type=Path,
        metavar="FILE",
        help="keypoints made elsewhere, instead of a detector's",
    )
    add(
        "--keypoints-skeleton",
        choices=LAYOUTS,
        help="which joints those are, where the file does not say",
    )
    add(
        "--fps",
        type=float,
        metavar="N",
        help="makes a folder of numbered pictures a clip of N a second",
    )
    add(
        "--lifter",
        default=PipelineConfig.lifter,
        help="name or path of the lifting network (default: %(default)s)",
    )
    add("--start", type=float, metavar="S", help="second to start at")
    add("--end", type=float, metavar="S", help="second to stop before")
    add(
        "--people",
        type=_people,
        default="all",
        metavar="N|main|all",
        help="how many people (default: %(default)s)",
    )
    add(
        "--person-id",
        type=_numbers,
        default=(),
        metavar="N[,N]",
        help="only the people with these numbers",
    )
    add(
        "--people-order",
        choices=PEOPLE_ORDERS,
        default=PipelineConfig.people_order,
        help="who is number 1, and so on: seen long and large, long, large, or far left (default: %(default)s)",
    )
    add(
        "--smooth",
        choices=SMOOTHINGS,
        default=PipelineConfig.smooth,
        help="smoothing in time (default: %(default)s)",
    )
    add(
        "--fov",
        type=float,
        metavar="DEG",
        help="field of view across the longer side of the picture, if known",
    )
    add("--focal", type=float, metavar="PX", help="focal length in pixels, if known")
    add(
        "--camera",
        choices=CAMERAS,
        default="static",
        help="whether the camera moves (default: %(default)s)",
    )
    add("--height-m", type=float, metavar="M", help="how tall the people are, if known")
    add("--rigid-bones", action="store_true", help="give every bone of a person one length")
    add(
        "--render",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="make the side-by-side video",
    )
    add(
        "--serve", type=int, nargs="?", const=8080, metavar="PORT", help="live: a page on 127.0.0.1"
    )
    add(
        "--stream",
        metavar="-|udp://HOST:PORT",
        help="live: send poses as JSON, to stdout or as datagrams",
    )
    add("--overwrite", action="store_true", help="do finished videos again")
    add("--pattern", metavar="GLOB", help="which files of a folder are meant, like '*.mp4'")
    add(
        "--workers",
        type=int,
        default=1,
        metavar="N",
        help="processes, a video each (default: %(default)s)",
    )
    add(
        "--engine",
        choices=ENGINES,
        default="local",
        help="who runs them: this machine or Ray (default: %(default)s)",
    )
    add(
        "--ray-address",
        metavar="HOST:PORT|auto",
        help="Ray's cluster; else Ray starts on this machine alone",
    )
    add(
        "--ray-cpus-per-worker",
        type=int,
        default=2,
        metavar="N",
        help="cores for each (default: %(default)s)",
    )
    add(
        "--ray-gpus-per-worker",
        type=float,
        default=0.0,
        metavar="N",
        help="GPUs for each, 0.5 too (default: none)",
    )
    add(
        "--shard",
        type=_shard,
        default=(1, 1),
        metavar="I/N",
        help="do only the I-th of N parts of the videos",
    )
    add("--dry-run", action="store_true", help="say what would be done")
    add(
        "--log-level",
        choices=LEVELS,
        default=LogOptions.level,
        help="what is told on stderr (default: %(default)s)",
    )
    add("--log-json", action="store_true", help="tell it as JSON, a line each")
    add("--debug", action="store_true", help="show tracebacks")
    return parser


def _people(text: str) -> int | Literal["all", "main"]:
    match text:
        case "all" | "main":
            return text
        case _:
            return int(text)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in text.split(","))


def _shard(text: str) -> tuple[int, int]:
    number, count = text.split("/")
    return int(number), int(count)


if __name__ == "__main__":
    sys.exit(main())
