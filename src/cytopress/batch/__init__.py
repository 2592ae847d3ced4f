"""Batch runs: many tasks in processes or on a cluster, with a ledger from which a run resumes."""
