"""Contact sheet of a quick look: an HTML page and a PNG picture, by the core's libraries alone."""

from __future__ import annotations

from cytopress.report.contact_sheet.page import write_page
from cytopress.report.contact_sheet.picture import write_picture

__all__ = ["write_page", "write_picture"]
