"""Training curves: PNG pictures and TensorBoard."""

from pathlib import Path
from typing import Any

from core.errors import UsageError, how_to_install
from core.files import written_whole
from train.reproduce.options import Options

_SKIPPED = 3  # first epochs, whose large errors would flatten the curves
_PANELS = {
    "loss_3d.png": ("3d", "MPJPE (m)"),
    "loss_traj.png": ("traj", "mean distance (m)"),
    "loss_2d.png": ("2d", "2D"),
}


class Curves:
    """Draws and logs the errors of each epoch, as the options say."""

    def __init__(self, options: Options, directory: Path) -> None:
        """Open TensorBoard's log, if it is wanted.

        Args:
            options: `export_training_curves` and `tensorboard` count.
            directory: The folder of pictures and log.

        Raises:
            UsageError: TensorBoard is wanted and isn't installed.
        """
        self._directory = directory
        self._pictures = options.export_training_curves
        self._writer: Any = None
        if options.tensorboard:
            try:
                from torch.utils.tensorboard import SummaryWriter
            except ImportError as error:
                raise UsageError(
                    f"--tensorboard: not installed; {how_to_install('tensorboard')}"
                ) from error
            self._writer = SummaryWriter(str(directory))

    def update(self, history: list[dict[str, float]]) -> None:
        """Log the last epoch of `history`, and draw all epochs anew."""
        if self._writer is not None:
            for name, error in history[-1].items():
                self._writer.add_scalar(name, error, len(history))
            self._writer.flush()
        if self._pictures and len(history) > _SKIPPED:
            self._directory.mkdir(parents=True, exist_ok=True)
            for file, (kind, label) in _PANELS.items():
                if any(name.startswith(kind) for name in history[-1]):
                    draw_curves(history, kind, label, self._directory / file)


def draw_curves(history: list[dict[str, float]], kind: str, label: str, path: Path) -> None:
    """Draw errors over the epochs; those measured in training are dashed.

    Args:
        history: Each epoch's errors by name.
        kind: The beginning of the names to draw.
        label: The name of the vertical axis.
        path: The picture to write.
    """
    from matplotlib.figure import Figure  # takes half a second to load

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.add_subplot(xlabel="epoch", ylabel=label)
    for name in dict.fromkeys(name for row in history for name in row if name.startswith(kind)):
        points = [
            (epoch, row[name])
            for epoch, row in enumerate(history, 1)
            if epoch > _SKIPPED and name in row
        ]
        axes.plot(*zip(*points, strict=True), "--" if "_train" in name else "-", label=name)
    axes.legend()
    with written_whole(path) as partial:
        figure.savefig(partial)
