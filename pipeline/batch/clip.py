"""One clip of a batch, from lock to report: what every worker of every engine does."""

import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TypeVar

import cv2
import torch

from core.errors import InputError, Video3DError
from pipeline.batch.addresses import fetched, is_far, put_back
from pipeline.batch.jobs import Job, Outcome, Tick, from_report
from pipeline.batch.locks import locked, tidy
from pipeline.config import PipelineConfig
from pipeline.results.resume import finished
from pipeline.results.staging import sweep
from pipeline.run import process_video
from pipeline.runtime.logs import LOG
from pipeline.runtime.models import Models

T = TypeVar("T")

TELL_EVERY_S = 0.2
LOOK_AGAIN_S = 0.5
"""How often a clip that another run works on is asked for."""


class ClipWorker:
    """Does one clip after another with networks loaded once; `threads` bounds what they may use of the processor."""

    def __init__(self, config: PipelineConfig, threads: int | None = None) -> None:
        self._config = config
        if threads is not None:
            limit_threads(threads)
        self._models = Models(config, threads)

    def do(self, job: Job, tell: Callable[[Tick], None]) -> Outcome:
        """The clip's results, or why there are none; never an exception but to stop the program."""
        if is_far(job):
            return self._do_far(job, tell)
        started = time.perf_counter()
        try:
            outcome = self._try(job, tell)
            while job.wait and outcome.status == "busy":
                tell(Tick(job, "waiting for another run", 0, None))
                time.sleep(LOOK_AGAIN_S)
                outcome = self._try(job, tell)
        except Video3DError as error:
            outcome = _failed(job, str(error), started, lasting=isinstance(error, InputError))
        except Exception as error:
            reason = f"{job.source}: a fault of this program, {type(error).__name__}: {error} (--debug shows where)"
            outcome = _failed(job, reason, started)
        finally:
            tidy(job.folder, self._config.output)
        return outcome

    def _do_far(self, job: Job, tell: Callable[[Tick], None]) -> Outcome:
        """The same for a clip or results that are not on this machine: fetched, done here, put back."""
        started = time.perf_counter()
        try:
            before = finished(job.source, job.folder, self._config, self._models.weights)
            if before is not None and not self._config.overwrite:
                return from_report(job, "skipped", before)
            with fetched(job) as near:
                outcome = self.do(near, lambda tick: tell(replace(tick, job=job)))
                if outcome.status == "done" and near.folder != job.folder:
                    put_back(near.folder, job.folder)
        except Video3DError as error:
            return _failed(job, str(error), started)
        return replace(
            outcome, job=job, reason=outcome.reason.replace(str(near.source), str(job.source))
        )

    def _try(self, job: Job, tell: Callable[[Tick], None]) -> Outcome:
        started = time.perf_counter()
        with locked(job.folder) as mine:
            if not mine:
                return Outcome(job, "busy")
            sweep(job.folder)
            before = finished(job.source, job.folder, self._config, self._models.weights)
            if before is not None and not self._config.overwrite:
                return from_report(job, "skipped", before)
            LOG.info("%s: begins", job.source, extra={"clip": job.source})
            report = process_video(
                job.source, self._config, job.folder, self._models, _Teller(job, tell)
            )
            return from_report(job, "done", report, time.perf_counter() - started)


def _failed(job: Job, reason: str, started: float, lasting: bool = False) -> Outcome:
    seconds, trace = time.perf_counter() - started, traceback.format_exc()
    return Outcome(job, "failed", reason, seconds, trace=trace, lasting=lasting)


class _Teller:
    """Counts a stage's items and tells now and then."""

    def __init__(self, job: Job, tell: Callable[[Tick], None]) -> None:
        self._job, self._tell = job, tell

    def __call__(self, items: Iterable[T], stage: str, total: int | None) -> Iterable[T]:
        told = 0.0
        for count, item in enumerate(items):
            if time.monotonic() - told > TELL_EVERY_S:
                told = time.monotonic()
                self._tell(Tick(self._job, stage, count, total))
            yield item


def limit_threads(threads: int) -> None:
    """Hold what computes in this process to so many threads; LiteRT is told by its detector."""
    torch.set_num_threads(threads)
    cv2.setNumThreads(threads)
