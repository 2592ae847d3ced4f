"""What is safe: one answer for a dataset and a task, with its bound and what speaks against it."""

from cytopress.results.recommendation.criterion import NOISE, Criterion
from cytopress.results.recommendation.recommend import Recommendation, recommend
from cytopress.results.recommendation.setting import JudgedSetting
from cytopress.results.recommendation.text import as_json, sentence

__all__ = [
    "NOISE",
    "Criterion",
    "JudgedSetting",
    "Recommendation",
    "as_json",
    "recommend",
    "sentence",
]
