"""Tasks whose behavior is known beforehand."""

from __future__ import annotations

from dataclasses import dataclass

from cytopress.image import Image
from cytopress.tasks.protocol import Prediction, Score, Task, Truth


@dataclass(frozen=True)
class Deaf:
    """Another task that looks at one and the same image, whatever it is given."""

    task: Task
    seen: Image

    @property
    def name(self) -> str:
        return f"deaf/{self.task.name.replace('/', '-')}"

    @property
    def weights(self) -> str:
        return self.task.weights

    @property
    def scores(self) -> tuple[Score, ...]:
        return self.task.scores

    @property
    def truth(self) -> Truth:
        return self.task.truth

    def predict(self, image: Image) -> Prediction:
        return self.task.predict(self.seen)

    def score(
        self, prediction: Prediction, reference: Prediction, image: Image
    ) -> dict[str, float]:
        return self.task.score(prediction, reference, image)
