"""Analysis behind an archive's channel: the study whose task was run on it as it is coded."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Analysis:
    """What a study's task loses where its own fields are coded exactly as the archive codes.

    Parameters
    ----------
    study, study_sha256 : str
        Name of the study, and hexadecimal sha256 of its file's text.
    dataset, task, metric : str
        What was measured on what.
    recommended : str
        Spec string of the recommendation, before it was solved for the archive.
    margin, confidence : float
        Largest loss that is allowed, in the score's unit; and the confidence of the claim.
    harm, bound : float
        Mean loss of the score over the study's fields, and the most that is lost at this
        confidence; both in the score's unit, positive where the decoded image is worse.
    fields : int
        Number of the study's fields that were coded again.
    """

    study: str
    study_sha256: str
    dataset: str
    task: str
    metric: str
    recommended: str
    margin: float
    confidence: float
    harm: float
    bound: float
    fields: int
