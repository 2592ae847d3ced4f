"""Results: curves, tables, comparisons and a recommendation from stored trials; runs no codec."""
