"""Checkpoints of trainings with Lightning: by the clock, after rounds and on a stop; quiet logs."""

from __future__ import annotations

import logging
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Checkpoint
from lightning.pytorch.utilities.exceptions import SIGTERMException

from cytopress.atomic import atomic_file
from cytopress.callbacks import Progress
from cytopress.errors import Stopped, UsageError

CHECKPOINT = "checkpoint.ckpt"
# What a round logs, by column.
LogRow = Mapping[str, Any]
# Progress is shown this often between rounds, which can be minutes long.
SHOW_EVERY_S = 10.0
# What a killed training loses at most, besides a validation: a round can be hours long.
SAVE_EVERY_S = 120.0


class Checkpoints(Checkpoint):
    """Writes the checkpoint after each round, by the clock and on a stop; reports progress.

    It is written under a temporary name and renamed. Between rounds it is written before a step, so
    that all of the step before is in it.

    The module has ``steps_done`` and ``history``, a list of rows; it may have ``recent``, which
    gives the row of the latest steps.

    Parameters
    ----------
    config : mapping
        The config of the training, as JSON values.
    path : Path
        File of the checkpoint.
    steps : int
        Steps of the whole training.
    report : callable
        Formats the last row as a line.
    progress : callable, optional
        Called with steps done, all steps and the line.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        path: Path,
        *,
        steps: int,
        report: Callable[[LogRow], str],
        progress: Progress | None,
    ) -> None:
        self._config, self._path, self._steps = config, path, steps
        self._report, self._progress = report, progress
        self._step, self._seconds, self._began = 0, 0.0, time.monotonic()
        self._shown = self._saved = self._began
        self._stopping = False

    # Lightning passes (trainer, module, checkpoint) and (trainer, module) by position.
    def on_save_checkpoint(self, *arguments: Any) -> None:
        """Add config, time and steps."""
        checkpoint = arguments[-1]
        checkpoint["config"] = self._config
        checkpoint["seconds"] = self._seconds + time.monotonic() - self._began
        checkpoint["steps_done"] = arguments[1].steps_done

    def on_load_checkpoint(self, *arguments: Any) -> None:
        """Restore time and steps."""
        self._seconds, self._step = arguments[-1]["seconds"], arguments[-1]["steps_done"]

    def on_train_batch_start(self, *arguments: Any) -> None:
        """Save from time to time, and end the training where that was asked."""
        if self._stopping:
            raise SIGTERMException
        if time.monotonic() - self._saved > SAVE_EVERY_S:
            self._save(*arguments[:2])

    def on_train_batch_end(self, *arguments: Any) -> None:
        """Report the progress of the round from time to time."""
        module = arguments[1]
        late = time.monotonic() - self._shown > SHOW_EVERY_S
        row = module.recent() if late and hasattr(module, "recent") else None
        if row:
            self._show(module.steps_done, row)

    def _show(self, step: int, row: LogRow) -> None:
        self._shown = time.monotonic()
        if self._progress:
            self._progress(step, self._steps, self._report(row))

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Save, report the round, and end the training after its last step."""
        trainer.should_stop = pl_module.steps_done >= self._steps
        if self._save(trainer, pl_module) and pl_module.history:
            self._show(self._step, pl_module.history[-1])

    def on_exception(
        self, trainer: lightning.Trainer, pl_module: Any, exception: BaseException
    ) -> None:
        """Save where Lightning stops between two steps; elsewhere the last checkpoint stays."""
        if isinstance(exception, SIGTERMException) and not trainer.validating:
            self._save(trainer, pl_module)

    def _save(self, trainer: lightning.Trainer, module: Any) -> bool:
        """Write the checkpoint, and return whether there was a step since the last one."""
        if module.steps_done == self._step:
            return False
        with atomic_file(self._path) as temporary:
            trainer.save_checkpoint(temporary)
        self._step, self._saved = module.steps_done, time.monotonic()
        return True

    @contextmanager
    def stoppable(self) -> Iterator[None]:
        """End the block after the step in which SIGTERM or Ctrl-C arrives; at a second one at once.

        Raises
        ------
        Stopped
            Either arrived.
        """
        before = signal.getsignal(signal.SIGINT)
        ours = threading.current_thread() is threading.main_thread() and callable(before)

        def stop(*_: object) -> None:
            self._stopping = True
            signal.signal(signal.SIGINT, before)

        if ours:
            signal.signal(signal.SIGINT, stop)
        try:
            yield
        except SystemExit as error:
            # Lightning's answer to both signals.
            asked = self._stopping or not isinstance(error, SIGTERMException)
            raise Stopped(
                f"Stopped after {self._step} of {self._steps} steps; run the same command again to"
                " resume.",
                exit_code=128 + (signal.SIGINT if asked else signal.SIGTERM),
            ) from error
        finally:
            if ours:
                signal.signal(signal.SIGINT, before)


@contextmanager
def quiet(threads: int) -> Iterator[None]:
    """Set the number of threads and silence Lightning's own messages, then undo both."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]
    before = [logger.level for logger in loggers], torch.get_num_threads()
    torch.set_num_threads(threads)
    for logger in loggers:
        logger.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            # All data are in memory: worker processes would only cost time.
            warnings.filterwarnings("ignore", ".*does not have many workers.*")
            # A dataset may have no validation part.
            warnings.filterwarnings("ignore", ".*have no `val_dataloader`.*")
            # One library of the training stack still uses a name that another has deprecated.
            warnings.filterwarnings("ignore", ".*LeafSpec.*")
            yield
    finally:
        for logger, level in zip(loggers, before[0], strict=True):
            logger.setLevel(level)
        torch.set_num_threads(before[1])


def load_checkpoint(path: Path, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a checkpoint.

    Raises
    ------
    UsageError
        The checkpoint is of another config.
    """
    checkpoint: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    if checkpoint.get("config") != config:
        raise UsageError(
            f"{path}: belongs to a training with another config; choose another folder for --out,"
            " or remove it to start anew."
        )
    return checkpoint
