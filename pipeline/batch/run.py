"""One video or ten thousand: find them, leave out what is done, hand the rest to an engine."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from core.errors import InputError, UsageError, shortage
from core.files import missing_folders, remove_empty
from detectors.base import AUTO
from pipeline.batch.addresses import is_remote
from pipeline.batch.console import OutcomeLog, ProgressBars, say
from pipeline.batch.inputs import find_jobs, input_kind, shard
from pipeline.batch.jobs import Engine, Job, Outcome, from_report
from pipeline.batch.options import BatchOptions
from pipeline.batch.previous import made_with, missing_exports, report_before
from pipeline.batch.report import BatchReport
from pipeline.batch.takes import find_takes
from pipeline.batch.workers import InProcess, Pool
from pipeline.config import PipelineConfig
from pipeline.media.clip import check_clip
from pipeline.results.report_parts import WeightsReport
from pipeline.results.resume import weights_report
from pipeline.runtime.address_space import check_address_space
from pipeline.runtime.logs import LOG, LogOptions
from weights.store import resolve

_TREES = frozenset({"folder", "address", "list"})
"""The kinds of words that may name a folder."""


@dataclass(frozen=True)
class _Plan:
    """What was done before, what is known to fail, and what is left to do."""

    done: list[Outcome]
    failed: list[Outcome]
    to_export: list[Job]
    """Clips that lack nothing but an export."""
    to_analyze: list[Job]
    """Clips that take the networks."""

    @property
    def pending(self) -> list[Job]:
        """All that is left to do."""
        return self.to_export + self.to_analyze


def run_batch(
    words: Sequence[str],
    config: PipelineConfig,
    options: BatchOptions,
    log: LogOptions,
    debug: bool = False,
) -> int:
    """Do what the words of a command line name.

    Every clip is accounted for, whatever happens to others. More than a single file leaves
    `batch_report.json` and `.csv` in the output folder.

    Args:
        words: Files, folders, patterns, addresses, `-` for a list on stdin.
        config: The options of every clip.
        options: Which inputs, and what works on them.
        log: How worker processes log.
        debug: Whether failures come with where in the program they happened.

    Returns:
        The exit status: 0, or 1 where a clip failed.

    Raises:
        UsageError: Options contradict each other or the inputs, before anything is opened.
        WeightsError, DetectorError: The networks could serve no clip.
    """
    jobs, empty = _inputs(words, config, options)
    single = len(words) == 1 and input_kind(words[0]) == "file"
    single = single or (config.several.views and len(jobs) == 1)
    if config.detect.detector != AUTO:
        config.require_inputs()
    if not options.dry_run:
        resolve(config.lift.lifter)  # so that a missing network is said before any work
    weights = weights_report(config.weight_files())
    stem, way = _report_stem(config, options), made_with(config, weights)
    report = BatchReport(stem, log.run_id, way, len(jobs) + len(empty))
    plan = _plan(jobs, empty, config, report, weights)
    if options.engine == "local":
        plan = _within_memory(plan)
    if options.dry_run:
        _list(plan)
        return 1 if plan.failed else 0
    outcomes = OutcomeLog(None if single else report, debug)
    if plan.to_analyze and options.engine == "local":  # a cluster's machines fetch their own
        _fetch_networks(config, is_tried=not single)
    engine = _engine(config, options, log, single, bool(plan.pending))
    new_folders = missing_folders(config.output)
    try:
        for outcome in [*plan.failed, *plan.done]:
            outcomes.add(outcome)
        _work(engine, plan.pending, outcomes, ProgressBars(0 if single else len(plan.pending)))
    finally:
        outcomes.close()
        remove_empty(new_folders)
    return 1 if outcomes.failures else 0


def _inputs(
    words: Sequence[str], config: PipelineConfig, options: BatchOptions
) -> tuple[list[Job], list[str]]:
    """What this shard is to do of the inputs that words name, and the words that name none.

    Raises:
        UsageError: Options contradict each other or the inputs.
    """
    if config.several.views:
        config.require_uncorrected()
        jobs, empty = find_takes(words, config.output)
        for job in jobs:
            config.several.require_offsets(len(job.views))
    else:
        sequences = config.clip.fps is not None
        jobs, empty = find_jobs(words, config.output, options.pattern, sequences=sequences)
    is_auto = config.detect.detector == AUTO
    backend = None if is_auto else config.detect.choose().backend
    if backend is not None and backend.one_video_only and len(jobs) != 1:
        name = backend.selected_by
        raise UsageError(f"`{name}` are those of one video, {len(jobs)} are given")
    if config.corrections and len(jobs) != 1:
        raise UsageError(f"`corrections` are those of one video, {len(jobs)} are given")
    if options.engine == "ray" and is_auto:
        raise UsageError(
            "`detector` auto may choose differently on other machines: with `engine` ray, name one"
        )
    if options.engine == "ray" and config.several.views:
        raise UsageError("`engine` ray takes single videos: it does not go with `views`")
    if options.pattern is not None and not any(input_kind(word) in _TREES for word in words):
        raise UsageError("`pattern` says which files of a folder are meant, and none is given")
    return list(shard(jobs, *options.shard)), empty


def _fetch_networks(config: PipelineConfig, is_tried: bool) -> None:
    """Fetch what detects, and see whether the lifter can be used where `is_tried`.

    Raises:
        WeightsError, DetectorError: They could serve no clip.
    """
    backend = config.detect.choose().backend
    backend.fetch()
    if text := backend.warning():
        LOG.warning(text)
    if is_tried:
        from lifter.predict import Lifter  # brings SciPy: a run without work goes without

        Lifter.load(resolve(config.lift.lifter))  # one that no clip can be lifted by, said once


def _plan(
    jobs: Sequence[Job],
    empty: Sequence[str],
    config: PipelineConfig,
    report: BatchReport,
    weights: Mapping[str, WeightsReport],
) -> _Plan:
    """Sort jobs by what is known without opening a video, so that idle workers are not started."""
    done, pending, to_export = [], [], []
    failed = [
        Outcome(Job(Path(word), config.output), "failed", _nothing_at(word)) for word in empty
    ]
    near = [job for job in jobs if not is_remote(job)]
    # Workers look whether far ones are done: each look takes its time.
    pending += [job for job in jobs if is_remote(job)]
    # A clip of several files may have been mended in another one than the report remembers.
    is_of_several = config.several.views or config.clip.fps is not None
    try_all = config.overwrite or is_of_several or config.input_files(Path()) != [Path()]
    failed_before = {} if try_all else report.failed_before(near)
    for job in near:
        before = None if config.overwrite else report_before(job, config, weights)
        if before is not None and not missing_exports(before, config):
            done.append(from_report(job, "skipped", before))
        elif before is not None:
            to_export.append(job)
        elif reason := failed_before.get(job) or _unusable(job, config):
            failed.append(Outcome(job, "failed", reason, lasting=True))
        else:
            pending.append(job)
    return _Plan(done, failed, to_export, pending)


def _within_memory(plan: _Plan) -> _Plan:
    """The plan without what takes the networks, where there is no memory to load them."""
    try:
        check_address_space()
    except MemoryError as error:
        reason = shortage(error)
        failed = [Outcome(job, "failed", f"{job.source}: {reason}") for job in plan.to_analyze]
        return replace(plan, failed=plan.failed + failed, to_analyze=[])
    return plan


def _nothing_at(word: str) -> str:
    return "the list on stdin is empty" if word == "-" else f"{word}: no video there"


def _unusable(job: Job, config: PipelineConfig) -> str:
    """Why a file cannot be a clip, as far as a look from outside tells."""
    try:
        for video in job.videos:
            check_clip(video, config.clip)
    except InputError as error:
        return str(error)
    return ""


def _engine(
    config: PipelineConfig, options: BatchOptions, log: LogOptions, single: bool, is_needed: bool
) -> Engine:
    """What does the clips; Ray is asked only where there are any."""
    if options.engine == "ray" and is_needed:
        from pipeline.batch.cluster.engine import RayEngine

        return RayEngine(config, log, options)
    return InProcess(config) if single else Pool(config, options.workers, log)


def _work(engine: Engine, jobs: Sequence[Job], outcomes: OutcomeLog, bars: ProgressBars) -> None:
    with closing(bars), closing(engine.run(jobs, bars.tick)) as ended:
        for outcome in ended:
            bars.end(outcome)
            outcomes.add(outcome)


def _list(plan: _Plan) -> None:
    for job in plan.pending:
        say(f"would do {' + '.join(map(str, job.videos))} -> {job.folder}")
    for outcome in plan.done:
        say(f"{outcome.job.folder}: already done")
    for outcome in plan.failed:
        LOG.error(outcome.reason)
    say(f"{len(plan.pending)} to do, {len(plan.done)} done already")


def _report_stem(config: PipelineConfig, options: BatchOptions) -> Path:
    """Shards may share an output folder, so each has a report of its own."""
    part = "" if options.shard == (1, 1) else f".{options.shard[0]}of{options.shard[1]}"
    return config.output / f"batch_report{part}"
