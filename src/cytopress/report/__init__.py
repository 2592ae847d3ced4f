"""Stored trials to tables, curves, pictures and one HTML page; never runs a codec."""

from __future__ import annotations

from cytopress.report.page import write_report
from cytopress.results.tables import summary_rows

__all__ = ["summary_rows", "write_report"]
