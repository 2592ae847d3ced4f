"""Label-free prediction: transmitted light in, fluorescence out.

The input is standardized by the mean and standard deviation of the very image given: transmitted
light carries no calibrated intensity. The model answers in standard deviations of the target; the
prediction is given in counts, as ``z * std + mean`` with the mean and standard deviation of the
training groups' targets. A field that is brighter or darker than those is so predicted in their
scale: Pearson's r does not see this, the normalized error does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from cytopress.errors import NotAvailableError, PackageError, TaskError
from cytopress.image import Image, Pixels
from cytopress.metrics import metric
from cytopress.package import Package
from cytopress.tasks.protocol import Prediction, Score, Truth
from cytopress.tasks.tiling import Plane, run_tiled

SCORES = (Score("pearson", "", "higher"), Score("ssim", "", "higher"), Score("nrmse", "", "lower"))
NEEDED = ("stride", "reach", "target")


@dataclass(frozen=True)
class LabelFree:
    """A label-free model from a package.

    Parameters
    ----------
    package : Package
        Its graph ``network`` maps standardized (N, 1, H, W) float32 to the same shape. Its manifest
        gives ``stride`` and ``reach`` (see `run_tiled`) and ``target`` with ``mean``, ``std`` and
        ``data_range`` in counts.
    tile : int, optional
        Pixels predicted at a time along each axis: bounds memory, not results.
    threads : int, optional
        Threads of onnxruntime; 0 leaves the choice to it.

    Raises
    ------
    PackageError
        The manifest lacks one of these.
    """

    package: Package
    tile: int = 512
    threads: int = 0
    scores: ClassVar[tuple[Score, ...]] = SCORES
    truth: ClassVar[Truth] = "target"

    def __post_init__(self) -> None:
        manifest = self.package.manifest
        missing = [key for key in NEEDED if key not in manifest]
        missing += [
            f"target.{key}"
            for key in ("mean", "std", "data_range")
            if key not in manifest.get("target", {})
        ]
        if missing:
            raise PackageError(
                f"{self.package.path}: a label-free model needs {missing[0]} in its manifest;"
                " export it again."
            )

    @property
    def name(self) -> str:
        """Stable name, such as ``labelfree/ecoli-phase``; the same for all variants of a task."""
        return str(self.package.manifest.get("task", self.package.name))

    @property
    def weights(self) -> str:
        """Hexadecimal sha256 of the package."""
        return self.package.sha256

    def predict(self, image: Image) -> Image:
        """Predict the fluorescence of one plane of any size.

        Parameters
        ----------
        image : Image
            Axes YX, any dtype. A constant image is standardized to zeros.

        Returns
        -------
        Image
            float32, of the input's shape and spacing, in counts of the target.

        Raises
        ------
        TaskError
            The image is a stack.
        """
        if image.axes != "YX":
            raise TaskError(
                f"{self.name} predicts from one plane (YX), not {image.axes}; select one."
            )
        manifest = self.package.manifest
        predicted = run_tiled(
            self._network,
            standardize(image.pixels),
            stride=manifest["stride"],
            reach=manifest["reach"],
            tile=self.tile,
        )
        target = manifest["target"]
        counts = predicted * np.float32(target["std"]) + np.float32(target["mean"])
        return Image(counts, spacing_um=image.spacing_um, name=image.name)

    def _network(self, plane: Plane) -> Plane:
        (result,) = self.package.run("network", plane[np.newaxis, np.newaxis], threads=self.threads)
        return np.asarray(result[0, 0], np.float32)

    def score(
        self,
        prediction: Prediction,
        reference: Prediction,
        image: Image,  # noqa: ARG002
    ) -> dict[str, float]:
        """Compare two images of fluorescence in counts.

        ``nrmse`` is the root-mean-square error over the data range of the training groups' targets,
        which is also the range of ``ssim``. Where either image is constant, Pearson's r is not
        defined and 0 is given: nothing of the reference was predicted.

        Raises
        ------
        TaskError
            One is not an Image, their shapes differ, or they are too small for SSIM.
        """
        if not isinstance(prediction, Image) or not isinstance(reference, Image):
            raise TaskError(f"{self.name} scores images against images.")
        if prediction.shape != reference.shape:
            raise TaskError(
                f"{self.name} scores images of one shape, not {prediction.shape} against"
                f" {reference.shape}."
            )
        data_range = float(self.package.manifest["target"]["data_range"])
        truth, predicted = reference.pixels, prediction.pixels
        try:
            return {
                "pearson": pearson_or_zero(truth, predicted),
                "ssim": metric("ssim").function(truth, predicted, data_range),
                "nrmse": metric("nrmse").function(truth, predicted, data_range),
            }
        except NotAvailableError as error:
            raise TaskError(f"{self.name} cannot score these images: {error}") from error


def pearson_or_zero(truth: Pixels, predicted: Pixels) -> float:
    """Return Pearson's r, and 0 where either image is constant and r is not defined."""
    if np.ptp(truth) == 0 or np.ptp(predicted) == 0:
        return 0.0
    return metric("pearson").function(truth, predicted, 1.0)


def standardize(pixels: Pixels) -> Plane:
    """Return pixels less their mean, over their standard deviation; a constant gives zeros."""
    values = pixels.astype(np.float64)
    values -= values.mean()
    deviation = values.std()
    return (values / deviation if deviation > 0 else values).astype(np.float32)
