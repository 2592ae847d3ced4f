"""What the JSON of a store keeps beside the names that old stores hold."""

from __future__ import annotations

import json
from types import SimpleNamespace

from cytopress.study import stored_json
from cytopress.study.trial_spec import ModelVariant


def test_the_packages_of_a_codec_are_kept_with_its_trials() -> None:
    packages = (("learned/small", "ab" * 32),)
    spec = SimpleNamespace(variants=(ModelVariant(), ModelVariant(seed=1)), packages=packages)
    plan = SimpleNamespace(**dict.fromkeys(stored_json.PLANNED, ""), spec=spec)
    measured = dict.fromkeys(stored_json.MEASURED, None) | {"scores": {}, "error": "", "arms": []}
    found = stored_json.trials_of("k", stored_json.dump_names(plan), json.dumps(measured))
    assert [trial.packages for trial in found] == [packages] * 2
    # Rows of earlier versions, and of codecs without a package, do not have the key.
    spec.packages = ()
    text = stored_json.dump_names(plan)
    assert "packages" not in json.loads(text)
    assert stored_json.trials_of("k", text, json.dumps(measured))[0].packages == ()
