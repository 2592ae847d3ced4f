"""Recommendation: the fewest bytes shown inside a margin of a task, with bound and cautions."""

from cytopress.results.recommendation.criterion import Criterion
from cytopress.results.recommendation.json_form import as_json
from cytopress.results.recommendation.recommend import Recommendation, recommend
from cytopress.results.recommendation.setting import JudgedSetting
from cytopress.results.recommendation.text import sentence
from cytopress.statistics.margin import NOISE

__all__ = [
    "NOISE",
    "Criterion",
    "JudgedSetting",
    "Recommendation",
    "as_json",
    "recommend",
    "sentence",
]
