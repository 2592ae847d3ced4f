"""Batch runs: many tasks in processes of this machine, with a ledger from which a run resumes."""
