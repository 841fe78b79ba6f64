"""Video in, 3D people out: `python infer_video.py clip.mp4` → `output/clip/`."""

import argparse
import sys
import traceback
from collections.abc import Sequence
from dataclasses import fields, replace

from core.errors import UsageError, Video3DError, refusal, shortage
from core.limits import share_arenas
from core.options import Parser, add_flags, given_flags
from detectors.base import AUTO
from pipeline.app.options import AppOptions
from pipeline.batch.options import BatchOptions
from pipeline.config import PipelineConfig, option_groups
from pipeline.media.live.source import LiveSource, parse_live_source
from pipeline.runtime.logs import LEVELS, LOG, LogOptions, counted, printable, start_logging
from pipeline.runtime.signals import end_on_sigterm

_APP = {entry.name for entry in fields(AppOptions)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Returns:
        The exit status: 0 all done, 1 some input failed, 2 the command line is wrong.
    """
    debug = False
    share_arenas()
    try:
        given = [*(sys.argv[1:] if arguments is None else arguments)]
        end = given.index("--") if "--" in given else len(given)
        options = vars(make_parser().parse_intermixed_args(given[:end]))
        options["videos"] += given[end + 1 :]  # names that may begin with a dash
        # Imported after the command line is known to be right: OpenCV and SciPy take their time.
        from pipeline.batch.addresses import parse_location
        from pipeline.batch.run import run_batch
        from pipeline.media.opencv import mute_opencv

        words, debug = options.pop("videos"), options.pop("debug")
        log = LogOptions(options.pop("log_level"), options.pop("log_json"))
        start_logging(log)
        end_on_sigterm()
        mute_opencv()
        names = {entry.name for entry in fields(BatchOptions)} & options.keys()
        batch = BatchOptions(**{name: options.pop(name) for name in names})
        if "output" in options:
            options["output"] = parse_location(options["output"])
        app = AppOptions(**{name: options.pop(name) for name in _APP & options.keys()})
        config = PipelineConfig.from_flat(**options)
        if app.app:
            return _run_app(app, words, config, batch, log)
        live = _only_live(words, config, batch)
        if config.detect.detector == AUTO:
            choice = config.detect.choose()
            LOG.warning("--detector auto takes %s: %s", choice.name, choice.why)
        if live is None:
            return run_batch(words, config, batch, log, debug)
        return _run_live(live, config)
    except UsageError as error:
        print(f"infer_video.py: {printable(error.as_flags())}", file=sys.stderr)
        return 2
    except Video3DError as error:
        LOG.error(str(error), extra={"trace": traceback.format_exc() if debug else ""})
        return 1
    except KeyboardInterrupt:
        LOG.error("stopped before the end; the same command goes on from here")
        return 130
    except Exception as error:
        text = shortage(error) or refusal(error)
        if text is None or debug:
            raise
        LOG.error(text)
        return 1


def _run_app(
    app: AppOptions,
    words: Sequence[str],
    config: PipelineConfig,
    batch: BatchOptions,
    log: LogOptions,
) -> int:
    """Serve the page until it is ended."""
    if words:
        raise UsageError("`app` takes clips on its page: give none here")
    from pipeline.batch.addresses import Address

    if isinstance(config.output, Address):
        raise UsageError(f"`output` {config.output}: the page keeps its clips on this machine")
    given = [*given_flags(batch), *config.given()]
    if given:
        raise UsageError(f"`{given[0]}` is chosen on the page of `app`")
    from pipeline.app.run import run_app

    run_app(app, config.output, log)
    return 0


def _only_live(
    words: Sequence[str], config: PipelineConfig, batch: BatchOptions
) -> LiveSource | None:
    """The live source, None where all are files."""
    from pipeline.batch.addresses import Address

    if not words:
        raise UsageError("which videos? Give some, or `app` for a page")
    live = next(filter(None, map(live_source, words)), None)
    if live is None:
        config.require_file()
    elif len(words) > 1:
        raise UsageError(f"{live.shown} is live: give it alone")
    elif isinstance(config.output, Address):
        raise UsageError(
            f"`output` {config.output}: what is live is recorded in a folder on this machine"
        )
    else:
        config.require_live()
        batch.require_live()
    return live


def live_source(word: str) -> LiveSource | None:
    """What a word names, where it is live; a server on the web is asked, and only once."""
    source = parse_live_source(word)
    from pipeline.media.web_file import ask_web, is_web

    if source is None or not is_web(word):
        return source
    answer = ask_web(word)
    return None if answer.is_file else replace(source, body=answer.body)


def _run_live(source: LiveSource, config: PipelineConfig) -> int:
    from pipeline.live.run import process_live
    from pipeline.runtime.address_space import check_address_space

    check_address_space()

    if text := config.detect.choose().backend.warning():
        LOG.warning(text)
    try:
        result = process_live(source, config)
    except KeyboardInterrupt:  # the second one
        LOG.error("%s: broken off, nothing is kept", source.shown)
        return 130
    report = result.report
    assert report.live is not None
    frames = counted(report.frames, "frame", "frames")
    people = counted(len(report.people), "person", "people")
    text = f"{frames}, {report.live.frames_missed} missed, {people}"
    told = printable(f"{result.folder}: {text}")
    print(told, file=sys.stderr)  # stdout may be --stream's
    for warning in report.warnings:
        LOG.warning("%s: %s", source.shown, warning)
    return 1 if set(config.export.formats) - report.exports else 0


def make_parser() -> argparse.ArgumentParser:
    """Make the parser of the command line; its flags are the options' fields."""
    parser = Parser(
        prog="infer_video.py",
        usage="%(prog)s [OPTION …] VIDEO …",
        description="Any video to 3D human motion.",
    )
    videos = "videos, pictures, folders, patterns, - for a list on stdin; "
    live = "or one camera, address or FIFO"
    parser.add_argument("videos", nargs="*", metavar="VIDEO", help=videos + live)
    groups = option_groups()
    groups |= {"many videos": [*fields(BatchOptions)], "the app": [*fields(AppOptions)]}
    for title, entries in groups.items():
        add_flags(parser.add_argument_group(title), entries)
    add = parser.add_argument_group("what is told").add_argument
    level = "what is told on stderr (default: %(default)s)"
    add("--log-level", choices=LEVELS, default=LogOptions.level, help=level)
    add("--log-json", action="store_true", help="tell it as JSON, a line each")
    add("--debug", action="store_true", help="show tracebacks")
    return parser


if __name__ == "__main__":
    sys.exit(main())
