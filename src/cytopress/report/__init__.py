"""Report: one HTML page of a study with its plots, tables and pictures; runs no codec."""

from __future__ import annotations

from cytopress.report.page import write_report
from cytopress.report.templates import check_libraries
from cytopress.results.tables import summary_rows

__all__ = ["check_libraries", "summary_rows", "write_report"]
