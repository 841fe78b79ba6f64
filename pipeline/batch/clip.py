"""One clip of a batch, from lock to report: what the workers of all engines do."""

import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from core.errors import InputError, Video3DError, shortage
from pipeline.batch.addresses import is_remote, local_copy, upload_results
from pipeline.batch.jobs import Job, Outcome, Tick, from_report
from pipeline.batch.previous import missing_exports, report_before, result_to_mend
from pipeline.config import PipelineConfig
from pipeline.export.base import add_exports
from pipeline.mend import mend
from pipeline.results.locks import clear_unfinished, locked
from pipeline.results.report import Report
from pipeline.results.result import Result, load_result
from pipeline.results.staging import sweep
from pipeline.run import process_video
from pipeline.runtime.logs import LOG
from pipeline.runtime.models import Models
from pipeline.runtime.progress import StageProgress, told_progress
from pipeline.runtime.threads import limit_threads

RETRY_EVERY_S = 0.5
"""How often to try for a clip that another run is at work on."""


class ClipWorker:
    """Does one clip after another, with networks that are loaded once.

    Args:
        config: How clips are worked on.
        threads: How many threads each library may use; None for as many as it likes.
    """

    def __init__(self, config: PipelineConfig, threads: int | None = None) -> None:
        self._config = config
        if threads is not None:
            limit_threads(threads)
        self._models = Models(config.detect, config.lift.lifter, threads)

    def load_lifter(self) -> None:
        """Load the lifting network before it is needed; what is wrong with it, `do` says."""
        with suppress(Video3DError):
            _ = self._models.lifter

    def close(self) -> None:
        """Free the networks."""
        self._models.close()

    def do(self, job: Job, on_tick: Callable[[Tick], None]) -> Outcome:
        """Work on a clip and write its results.

        Args:
            job: The clip, and the folder of its results.
            on_tick: Called now and then with the job's progress.

        Returns:
            What became of the clip. A failure is an outcome too; only what ends the program is
            raised.
        """
        if is_remote(job):
            return self._do_remote(job, on_tick)
        if link := _link_on_the_way(job.folder, self._config.output):
            reason = f"{link}: is a link; results are written inside {self._config.output} only"
            return Outcome(job, "failed", reason)
        started = time.perf_counter()
        try:
            outcome = self._try(job, on_tick)
            while job.wait and outcome.status == "busy":
                on_tick(Tick(job, "waiting for another run", 0, None))
                time.sleep(RETRY_EVERY_S)
                outcome = self._try(job, on_tick)
        except Video3DError as error:
            outcome = _failed(job, str(error), started, lasting=isinstance(error, InputError))
        except Exception as error:
            fault = f"a fault of this program, {type(error).__name__}: {error}"
            reason = shortage(error) or f"{fault} (--debug shows where)"
            outcome = _failed(job, f"{job.source}: {reason}", started)
        finally:
            clear_unfinished(job.folder, self._config.output)
        return outcome

    def _do_remote(self, job: Job, on_tick: Callable[[Tick], None]) -> Outcome:
        """Do a clip that is not on this machine, or whose results are to go elsewhere."""
        started = time.perf_counter()
        try:
            before = report_before(job, self._config, self._models.weights)
            is_done = before is not None and not missing_exports(before, self._config)
            if before is not None and is_done and not self._config.overwrite:
                return from_report(job, "skipped", before)
            with local_copy(job) as local:
                outcome = self.do(local, lambda tick: on_tick(replace(tick, job=job)))
                if outcome.status == "done" and local.folder != job.folder:
                    upload_results(local.folder, job.folder)
        except Video3DError as error:
            return _failed(job, str(error), started)
        return replace(
            outcome, job=job, reason=outcome.reason.replace(str(local.source), str(job.source))
        )

    def _try(self, job: Job, on_tick: Callable[[Tick], None]) -> Outcome:
        """Do a clip on this machine, unless another run is at work on it or it is done."""
        started = time.perf_counter()
        with locked(job.folder) as is_ours:
            if not is_ours:
                return Outcome(job, "busy")
            sweep(job.folder)
            before = report_before(job, self._config, self._models.weights)
            if before is not None and not self._config.overwrite:
                return self._with_missing_exports(job, before)
            LOG.info("%s: begins", job.source, extra={"clip": job.source})
            result = self._process(job, told_progress(lambda *said: on_tick(Tick(job, *said))))
            done = from_report(job, "done", result.report, time.perf_counter() - started)
            return replace(done, lacks=tuple(missing_exports(result.report, self._config)))

    def _process(self, job: Job, progress: StageProgress) -> Result:
        if job.views:
            from pipeline.views import process_views  # what it brings, single videos go without

            return process_views(job.views, self._config, job.folder, self._models, progress)
        if not self._config.overwrite:
            former = result_to_mend(job, self._config, self._models.weights)
            if former is not None:
                edits = self._config.corrections
                return mend(former, edits, job.folder, self._config, self._models, progress)
        return process_video(job.source, self._config, job.folder, self._models, progress)

    def _with_missing_exports(self, job: Job, report: Report) -> Outcome:
        """Add to a finished clip the exports that are asked for now and were not then."""
        missing = missing_exports(report, self._config)
        result, options = load_result(job.folder), self._config.export
        written = add_exports(result, missing, options) if missing else []
        reason = f"added {', '.join(written)}" if written else ""
        return replace(from_report(job, "skipped", report), reason=reason)


def _link_on_the_way(folder: Path, output: Path) -> Path | None:
    """The link by which a folder below the output folder may lie outside it; None without."""
    below = (path for path in (folder, *folder.parents) if output in path.parents)
    return next((path for path in below if path.is_symlink()), None)


def _failed(job: Job, reason: str, started: float, lasting: bool = False) -> Outcome:
    seconds, trace = time.perf_counter() - started, traceback.format_exc()
    return Outcome(job, "failed", reason, seconds, trace=trace, lasting=lasting)
