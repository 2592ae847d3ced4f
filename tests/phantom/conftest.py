"""The simulator's tests need waveorder, and with it torch."""

import pytest

pytest.importorskip("waveorder", reason="needs the extra phantom (waveorder)")
