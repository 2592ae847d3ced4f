"""Report: one HTML page of a study with its plots, tables and pictures; runs no codec."""

from __future__ import annotations

from cytopress.report.page import write_report
from cytopress.results.tables import summary_rows

__all__ = ["summary_rows", "write_report"]
