import pytest

from cytopress.errors import CytopressWarning

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.learn


def test_bfloat16_is_left_to_processors_that_know_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from cytopress.training import precision

    monkeypatch.setattr(precision, "_knows_bfloat16", lambda: True)
    assert precision.computed_in("bfloat16") == "bfloat16"
    monkeypatch.setattr(precision, "_knows_bfloat16", lambda: False)
    with pytest.warns(CytopressWarning, match="float32"):
        assert precision.computed_in("bfloat16") == "float32"


def test_float32_is_asked_of_nobody() -> None:
    from cytopress.training.precision import computed_in

    assert computed_in("float32") == "float32"
