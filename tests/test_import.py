import subprocess
import sys

HEAVY = ("torch", "scipy", "skimage", "plotly", "zarr", "onnxruntime", "imagecodecs", "pydantic")


def test_importing_cytopress_loads_nothing_heavy() -> None:
    code = f"import sys, cytopress; print([name for name in {HEAVY} if name in sys.modules])"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


def test_help_needs_no_heavy_library() -> None:
    code = (
        "import sys\n"
        "from cytopress.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit: pass\n"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.splitlines()[-1] == "[]"


def test_the_public_names_are_all_there() -> None:
    import cytopress

    for name in cytopress.__all__:
        assert callable(getattr(cytopress, name))
    assert set(cytopress.__all__) <= set(dir(cytopress))
