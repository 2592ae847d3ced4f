"""Recommendation: the fewest bytes shown inside a margin of a task, with bound and cautions."""

from cytopress.results.recommendation.criterion import Criterion
from cytopress.results.recommendation.json_form import as_json, refusal_as_json
from cytopress.results.recommendation.recommend import (
    Recommendation,
    Refusal,
    recommend,
    recommend_or_refuse,
)
from cytopress.results.recommendation.setting import JudgedSetting
from cytopress.results.recommendation.text import sentence
from cytopress.statistics.margin import NOISE

__all__ = [
    "NOISE",
    "Criterion",
    "JudgedSetting",
    "Recommendation",
    "Refusal",
    "as_json",
    "recommend",
    "recommend_or_refuse",
    "refusal_as_json",
    "sentence",
]
