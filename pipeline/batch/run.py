"""One video or ten thousand: find them, leave out what is done, hand the rest to an engine, say what became of each."""

import importlib.util
import re
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal, get_args

from tqdm import tqdm

from core.errors import InputError, OutputError, UsageError
from detectors.base import AUTO, require
from pipeline.batch.addresses import is_far
from pipeline.batch.inputs import find_jobs, kind_of, shard
from pipeline.batch.jobs import Engine, Job, Outcome, Tick, from_report
from pipeline.batch.report import BatchReport
from pipeline.batch.workers import InProcess, Pool
from pipeline.config import PipelineConfig, only_files
from pipeline.media.images import check_clip
from pipeline.results.resume import finished, way_of
from pipeline.runtime.logs import LOG, LogOptions, printable

EngineName = Literal["local", "ray"]
ENGINES: tuple[EngineName, ...] = get_args(EngineName)


@dataclass(frozen=True)
class BatchOptions:
    """Which inputs, and who works on them; each field is the command line's flag of that name."""

    pattern: str | None = None
    """Which files of a folder count, `*.mp4`; with a slash in it, matched against the path below the folder."""
    workers: int = 1
    """Processes, on all machines together."""
    engine: EngineName = "local"
    """Who runs them: this machine, or Ray."""
    ray_address: str | None = None
    """The Ray cluster, `HOST:PORT` or `auto`; None to start Ray on this machine alone."""
    ray_cpus_per_worker: int = 2
    """Cores of its machine that a worker takes."""
    ray_gpus_per_worker: float = 0.0
    """GPUs of its machine that a worker takes; below 1, it shares one."""
    shard: tuple[int, int] = (1, 1)
    """(i, n): only the i-th of n parts of the inputs."""
    dry_run: bool = False
    """Say what would be done, and do nothing."""

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise UsageError(f"--workers must be 1 or more, got {self.workers}")
        if not 1 <= self.shard[0] <= self.shard[1]:
            raise UsageError(
                f"--shard must be i/n with i from 1 to n, got {self.shard[0]}/{self.shard[1]}"
            )
        self._check_ray()

    def require_live(self) -> None:
        """`UsageError` where something is asked for that makes sense for files alone."""
        for flag in fields(self):
            if getattr(self, flag.name) != flag.default:
                raise only_files(f"--{flag.name.replace('_', '-')}")

    def _check_ray(self) -> None:
        for name in ("ray_address", "ray_cpus_per_worker", "ray_gpus_per_worker"):
            if self.engine != "ray" and getattr(self, name) != getattr(BatchOptions, name):
                raise UsageError(f"--{name.replace('_', '-')} is for --engine ray")
        if self.ray_address not in (None, "auto") and not re.fullmatch(
            r"[^/]+:[0-9]{1,5}", self.ray_address or ""
        ):
            raise UsageError(f"--ray-address must be HOST:PORT or auto, got {self.ray_address}")
        if self.ray_cpus_per_worker < 1:
            raise UsageError(
                f"--ray-cpus-per-worker must be 1 or more, got {self.ray_cpus_per_worker}"
            )
        gpus = self.ray_gpus_per_worker
        if not (0 <= gpus < 1 or (gpus >= 1 and gpus % 1 == 0)):
            raise UsageError(
                f"--ray-gpus-per-worker must be a share of one or a whole number, got {gpus:g}"
            )
        if self.engine == "ray" and importlib.util.find_spec("ray") is None:
            raise UsageError("--engine ray needs Ray: pip install 'video3d[ray]'")


@dataclass(frozen=True)
class _Plan:
    """What was done before, what is known to fail, and what is left to do."""

    done: list[Outcome]
    failed: list[Outcome]
    pending: list[Job]


def run_batch(
    words: Sequence[str],
    config: PipelineConfig,
    options: BatchOptions,
    log: LogOptions,
    debug: bool = False,
) -> int:
    """Do what `words` name; returns the exit status, 0 or 1. `UsageError` before anything is opened.

    Every clip is accounted for, whatever happens to others. More than a single file leaves `batch_report.json` and
    `.csv` in the output folder. `debug` adds to each failure where in the program it happened.
    """
    jobs, empty = find_jobs(words, config.output, options.pattern, sequences=config.fps is not None)
    if config.keypoints is not None and len(jobs) != 1:
        raise UsageError(f"--keypoints are those of one video, {len(jobs)} are given")
    if options.engine == "ray" and config.detector == AUTO:
        raise UsageError(
            "--detector auto may choose differently on other machines: with --engine ray, name one"
        )
    jobs = list(shard(jobs, *options.shard))
    single = len(words) == 1 and kind_of(words[0]) == "file"
    report = BatchReport(
        _report_stem(config, options), log.run_id, way_of(config), len(jobs) + len(empty)
    )
    plan = _plan(jobs, empty, config, report)
    if options.dry_run:
        _list(plan)
        return 1 if plan.failed else 0
    notes = _Notes(None if single else report, debug)
    if (
        plan.pending and config.keypoints is None and options.engine == "local"
    ):  # a cluster's machines count there
        require(config.detector, **config.detectron2_options)
    engine = _engine(config, options, log, single, bool(plan.pending))
    try:
        for outcome in [*plan.failed, *plan.done]:
            notes.add(outcome)
        _work(engine, plan.pending, notes, _Bars(0 if single else len(plan.pending)))
    finally:
        notes.close()
    return 1 if notes.failures else 0


def _plan(
    jobs: Sequence[Job], empty: Sequence[str], config: PipelineConfig, report: BatchReport
) -> _Plan:
    """Sort jobs by what is known without opening a video: who has nothing left to do starts no worker."""
    done, pending = [], []
    failed = [
        Outcome(Job(Path(word), config.output), "failed", f"{word}: no video there")
        for word in empty
    ]
    near = [job for job in jobs if not is_far(job)]
    pending += [
        job for job in jobs if is_far(job)
    ]  # workers look whether they are done: each takes its time
    one_file_each = (
        config.keypoints is None and config.fps is None
    )  # else another file may have been mended
    failed_before = report.failed_before(near) if one_file_each and not config.overwrite else {}
    for job in near:
        before = (
            None
            if config.overwrite
            else finished(job.source, job.folder, config, report.way["weights"])
        )
        if before is not None:
            done.append(from_report(job, "skipped", before))
        elif reason := failed_before.get(job) or _unusable(job, config):
            failed.append(Outcome(job, "failed", reason, lasting=True))
        else:
            pending.append(job)
    return _Plan(done, failed, pending)


def _unusable(job: Job, config: PipelineConfig) -> str:
    """Why a file cannot be a clip, as far as a look from outside tells."""
    try:
        check_clip(job.source, config.fps)
    except InputError as error:
        return str(error)
    return ""


def _engine(
    config: PipelineConfig, options: BatchOptions, log: LogOptions, single: bool, is_needed: bool
) -> Engine:
    """Who does the clips; Ray is asked only where there are any."""
    if options.engine == "ray" and is_needed:
        from pipeline.batch.ray_engine import RayEngine

        share = (options.ray_cpus_per_worker, options.ray_gpus_per_worker)
        return RayEngine(config, log, options.ray_address, options.workers, *share)
    return InProcess(config) if single else Pool(config, options.workers, log)


def _work(engine: Engine, jobs: Sequence[Job], notes: "_Notes", bars: "_Bars") -> None:
    with closing(bars), closing(engine.run(jobs, bars.tick)) as outcomes:
        for outcome in outcomes:
            bars.end(outcome)
            notes.add(outcome)


def _list(plan: _Plan) -> None:
    for job in plan.pending:
        _say(f"would do {job.source} -> {job.folder}")
    for outcome in plan.done:
        _say(f"{outcome.job.folder}: already done")
    for outcome in plan.failed:
        LOG.error(outcome.reason)
    _say(f"{len(plan.pending)} to do, {len(plan.done)} done already")


def _report_stem(config: PipelineConfig, options: BatchOptions) -> Path:
    """Shards may share an output folder, so each has a report of its own."""
    part = "" if options.shard == (1, 1) else f".{options.shard[0]}of{options.shard[1]}"
    return config.output / f"batch_report{part}"


def _say(text: str) -> None:
    tqdm.write(printable(text), file=sys.stdout)


class _Notes:
    """Tells the user and the batch report how clips ended; a report that cannot be written is a failure of its own."""

    def __init__(self, report: BatchReport | None, debug: bool) -> None:
        self.failures = 0
        self._report, self._debug = report, debug
        self._complained = False

    def add(self, outcome: Outcome) -> None:
        """Tell how a clip ended."""
        job = outcome.job
        match outcome.status:
            case "failed":
                self.failures += 1
                trace = outcome.trace if self._debug else ""
                LOG.error(outcome.reason, extra={"clip": job.source, "trace": trace})
            case "done":
                people = "1 person" if outcome.people == 1 else f"{outcome.people} people"
                _say(f"{job.folder}: {outcome.frames} frames, {people}")
                for warning in outcome.warnings:
                    LOG.warning("%s: %s", job.source, warning, extra={"clip": job.source})
            case _ if self._report is None:
                _say(f"{job.folder}: already done (--overwrite does it again)")
        if self._report is not None:
            self._try(lambda report: report.add(outcome))

    def close(self) -> None:
        """The last word: the report's files and the table."""
        if self._report is not None:
            self._try(lambda report: report.write())
            tqdm.write(self._report.table(), file=sys.stdout)

    def _try(self, write: Callable[[BatchReport], None]) -> None:
        assert self._report is not None
        try:
            write(self._report)
        except OutputError as error:
            if not self._complained:
                LOG.error(str(error))
            self._complained = True
            self.failures += 1


class _Bars:
    """Progress on a terminal: a bar over all clips, where there are several, and one for each clip at work."""

    def __init__(self, clips: int) -> None:
        self._all = tqdm(total=clips, desc="clips", unit="clip", disable=None) if clips else None
        self._clips: dict[Path, tqdm[None]] = {}

    def tick(self, tick: Tick) -> None:
        """Show how far a clip has come."""
        bar = self._clips.get(tick.job.folder)
        if bar is None:
            bar = self._clips[tick.job.folder] = tqdm(unit="frame", leave=False, disable=None)
        title = f"{printable(tick.job.source.name)[:30]} {tick.stage}"
        if bar.disable:
            return
        if bar.desc != f"{title}: ":
            bar.reset(tick.total)
            bar.set_description(title, refresh=False)
        bar.update(tick.count - bar.n)

    def end(self, outcome: Outcome) -> None:
        """A clip is over."""
        if (bar := self._clips.pop(outcome.job.folder, None)) is not None:
            bar.close()
        if self._all is not None:
            self._all.update()

    def close(self) -> None:
        """Take the bars away."""
        for bar in [*self._clips.values(), *([self._all] if self._all else [])]:
            bar.close()
