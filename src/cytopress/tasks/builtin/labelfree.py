"""Label-free prediction of fluorescence from transmitted light.

The input is standardized by its own mean and standard deviation: transmitted light has no
calibrated intensity. The network predicts z-scores of the target, and the prediction is in counts,
``z * std + mean`` with the mean and standard deviation of the training groups' targets. A brighter
or darker field is therefore predicted in their scale: Pearson's r is blind to this, the normalized
error is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from cytopress.errors import NotAvailableError, PackageError, TaskError
from cytopress.image import Image, Pixels
from cytopress.metrics import metric
from cytopress.tasks.builtin.packaged import PackagedTask, is_number
from cytopress.tasks.protocol import Prediction, Score, Truth
from cytopress.tiling import Values

SCORES = (Score("pearson", "", "higher"), Score("ssim", "", "higher"), Score("nrmse", "", "lower"))


@dataclass(frozen=True)
class LabelFree(PackagedTask):
    """A label-free model from a package: see `PackagedTask`.

    Its network has one output channel. Its manifest has ``target`` with ``mean``, ``std`` and
    ``data_range`` in counts.
    """

    model: ClassVar[str] = "label-free"
    needed: ClassVar[tuple[str, ...]] = ("target.mean", "target.std", "target.data_range")
    scores: ClassVar[tuple[Score, ...]] = SCORES
    truth: ClassVar[Truth] = "target"

    def __post_init__(self) -> None:
        super().__post_init__()
        for key, value in self.package.manifest["target"].items():
            if key in ("mean", "std", "data_range") and not is_number(value):
                raise PackageError(
                    f"{self.package.path}: target.{key} in the manifest must be a number of counts,"
                    f" not {value!r}; export it again."
                )

    def predict(self, image: Image) -> Image:
        """Predict the fluorescence of one plane or volume of any size.

        Parameters
        ----------
        image : Image
            An image of the model's axes, any dtype. A constant image is standardized to zeros.

        Returns
        -------
        Image
            float32, of the input's shape and spacing, in counts of the target.

        Raises
        ------
        TaskError
            The image has other axes than the model.
        """
        self._check_axes("predicts from", image)
        predicted = self._run(standardize(image.pixels))[0]
        target = self.package.manifest["target"]
        counts = predicted * np.float32(target["std"]) + np.float32(target["mean"])
        return Image(counts, spacing_um=image.spacing_um, name=image.name)

    def score(
        self,
        prediction: Prediction,
        reference: Prediction,
        image: Image,  # noqa: ARG002
    ) -> dict[str, float]:
        """Compare two images of fluorescence in counts.

        ``nrmse`` is the root-mean-square error over the data range of the training groups' targets,
        which is also the range of ``ssim``. For a constant image, Pearson's r is not defined and
        taken as 0: nothing of the reference was predicted.

        Raises
        ------
        TaskError
            One is not an Image, their shapes differ, or they are too small for SSIM.
        """
        if not isinstance(prediction, Image) or not isinstance(reference, Image):
            raise TaskError(f"{self.name} scores images against images.")
        if prediction.shape != reference.shape:
            raise TaskError(
                f"{self.name} scores images of equal shape, not {prediction.shape} against"
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
    """Return Pearson's r, or 0 where it is not defined since an image is constant."""
    if np.ptp(truth) == 0 or np.ptp(predicted) == 0:
        return 0.0
    return metric("pearson").function(truth, predicted, 1.0)


def standardize(pixels: Pixels) -> Values:
    """Return z-scores: pixels minus mean, over standard deviation; zeros for a constant image."""
    values = pixels.astype(np.float64)
    values -= values.mean()
    deviation = values.std()
    return (values / deviation if deviation > 0 else values).astype(np.float32)
