import pytest

from cytopress.errors import UsageError
from cytopress.formats.selection import parse_selection


def test_selection_is_parsed() -> None:
    assert parse_selection("C=1,T=0") == {"C": "1", "T": "0"}
    assert parse_selection("C=DAPI 405") == {"C": "DAPI 405"}


@pytest.mark.parametrize("text", ["", "C", "C=", "=1", "C=1,", "C=1,C=2"])
def test_malformed_selection(text: str) -> None:
    with pytest.raises(UsageError, match="--select"):
        parse_selection(text)
