"""The made-up study, and Debian's chromium to open its page in."""

from fakes.made_up_study import (  # noqa: F401
    _make_facts,
    _make_results,
    _make_study,
    _make_trainings,
    _make_trial,
    _make_volumes,
    _with_noise_replicates,
    browser,
)
