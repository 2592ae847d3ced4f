"""What is safe: one answer for a dataset and a task, with its bound and what speaks against it."""

from cytopress.report.recommendation.recommend import Recommendation, recommend
from cytopress.report.recommendation.setting import Setting
from cytopress.report.recommendation.text import as_json, sentence
from cytopress.report.recommendation.wish import NOISE, Wish

__all__ = ["NOISE", "Recommendation", "Setting", "Wish", "as_json", "recommend", "sentence"]
