"""Running an experiment: progress, an orderly Ctrl-C, and whatever happened kept and written."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from algo.cli.progress import Progress, waiting

if TYPE_CHECKING:
    from rich.console import Console

    from algo.backtest import Run
    from algo.cli.experiment import Experiment
    from algo.result import Result

INTERRUPTED = 130


class Stop:
    """Whether the person pressed Ctrl-C. The first one is a wish, the second one ends things at once."""

    def __init__(self, answer: str) -> None:
        self.wanted = False
        self._answer = answer

    def __call__(self, *_: object) -> None:
        """The signal's handler."""
        if self.wanted:
            raise KeyboardInterrupt
        self.wanted = True
        if self._answer:
            typer.echo(self._answer, err=True)

    def check(self) -> None:
        """Stop here if it is wanted: called where the run is in order."""
        if self.wanted:
            raise KeyboardInterrupt


@contextmanager
def stoppable(answer: str = "") -> Iterator[Stop]:
    """Let Ctrl-C end the work at the next good place, and `answer` it at once where that may take a while."""
    stop = Stop(answer)
    try:
        before = signal.signal(signal.SIGINT, stop)
    except ValueError:  # not the main thread: the caller's own handler stays
        yield stop
        return
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def kept_clear(experiment: Experiment) -> Iterator[None]:
    """Send what a strategy prints to stderr where stdout is for the JSON."""
    with redirect_stdout(sys.stderr) if experiment.json == "-" else nullcontext():
        yield


def prepared(experiment: Experiment) -> Run:
    """Read the data and wire the run."""
    with kept_clear(experiment), waiting("Reading the data"):
        return experiment.prepare()


def backtested(run: Run, experiment: Experiment) -> tuple[Result, float]:
    """Go through the run with progress; gives the result and the seconds that it took."""
    began = time.perf_counter()
    total = len(run.feed.times)
    answer = "\nstopping; Ctrl-C again to stop at once"
    with stoppable(answer) as stop, Progress(type(run.strategy).__name__, total, "bars") as progress:

        def on_progress(done: int) -> None:
            stop.check()
            progress(done)

        with kept_clear(experiment):
            result = run.execute(on_progress=on_progress)
    return result, time.perf_counter() - began


def finish(
    result: Result, run: Run, experiment: Experiment, console: Console, seconds: float | None = None
) -> None:
    """Show and write a result, then end with what fits: the error of a strategy that raised, or 130."""
    shown(result, experiment, console, seconds)
    if run.simulation.failure is not None:
        raise run.simulation.failure
    if run.interrupted:
        raise typer.Exit(INTERRUPTED)


def shown(result: Result, experiment: Experiment, console: Console, seconds: float | None = None) -> None:
    """Show a result, and write what the experiment wants written."""
    from algo.cli.screens import summary
    from algo.durable import write_text

    console.print(summary(result))
    said = [] if seconds is None else [f"{result.stats['bars']:,} bars in {seconds:.1f} s"]
    if experiment.json == "-":
        typer.echo(result.to_json(), nl=False)
    elif experiment.json is not None:
        said.append(f"json: {write_text(Path(experiment.json), result.to_json())}")
    if experiment.report is not None:
        with waiting("Drawing the report"):
            said.append(f"report: {result.report(experiment.report)}")
    if said:
        console.print()
    for line in said:
        console.print(line, style="dim", soft_wrap=True)
