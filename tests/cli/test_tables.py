"""Tables: every word whole, on a narrow terminal, a wide one and in a pipe."""

import pytest

from cytopress.cli import main
from cytopress.cli.tables import print_table
from cytopress.codecs.trait_table import rows as codec_rows

ROWS = [
    {"name": "learned/a-rather-long-name", "takes": "planes and stacks", "path": "/x/" + "y" * 40},
    {"name": "png", "takes": "planes [8 or 16 bits]", "path": None},
]


def printed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int
) -> list[str]:
    """Return the lines on a terminal of a width, or for 0 those in a pipe."""
    if width:
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("NO_COLOR", "1")
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("COLUMNS", str(width))
    print_table(ROWS)
    return capsys.readouterr().out.replace("\x1b[1m", "").replace("\x1b[0m", "").splitlines()


def test_a_pipe_gets_one_line_for_each_row(capsys, monkeypatch) -> None:
    head, first, second = printed(capsys, monkeypatch, 0)
    assert head.split() == ["name", "takes", "path"]
    assert first.split() == [ROWS[0]["name"], "planes", "and", "stacks", ROWS[0]["path"]]
    assert second.split() == ["png", "planes", "[8", "or", "16", "bits]", "-"]


def test_a_narrow_terminal_gets_records(capsys, monkeypatch) -> None:
    lines = printed(capsys, monkeypatch, 70)
    assert lines[0] == ROWS[0]["name"]
    assert lines[-2:] == ["png", "  takes: planes [8 or 16 bits]"]
    assert any(str(ROWS[0]["path"]) in line for line in lines)
    assert not any("…" in line for line in lines)


@pytest.mark.parametrize("width", [85, 200])
def test_a_wide_terminal_gets_a_table(capsys, monkeypatch, width: int) -> None:
    lines = printed(capsys, monkeypatch, width)
    assert lines[0].split() == ["name", "takes", "path"]
    assert all(len(line) <= width for line in lines)
    words = " ".join(lines).split()
    assert {ROWS[0]["name"], ROWS[0]["path"], "stacks"} <= set(words)
    assert (len(lines) == 3) == (width == 200)


@pytest.mark.parametrize("columns", ["80", "60", "200"])
def test_the_name_of_every_codec_is_whole(capsys, monkeypatch, columns: str) -> None:
    names = [row["name"] for row in codec_rows()]
    for terminal in (False, True):
        monkeypatch.setenv("COLUMNS", columns)
        if terminal:
            monkeypatch.setenv("FORCE_COLOR", "1")
            monkeypatch.setenv("TERM", "dumb")
        with pytest.raises(SystemExit) as leave:
            main(["codecs"])
        assert not leave.value.code
        out = capsys.readouterr().out
        assert "…" not in out
        firsts = [line.split()[0] for line in out.splitlines() if line[:1].strip()]
        assert [name for name in firsts if name in names] == names
