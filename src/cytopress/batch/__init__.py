"""Batch runs: many tasks in processes of this machine or on a cluster, with a ledger from which a run resumes."""
