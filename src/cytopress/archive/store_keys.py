"""Keys of what an archive holds beside its images."""

from __future__ import annotations

# The folder of plan, ledger, certificate and models.
FOLDER = "cytopress"
LEDGERS = f"{FOLDER}/ledger"
