"""Tables of pairs as spreadsheets export them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cytopress.datasets.folder_form import read_pairs
from cytopress.errors import DatasetError

TABLE = "field,group,input,target\na,one,a.tif,images/b.tif\nb,two,a.tif,images/b.tif\n"
BOM = "\ufeff"


def pairs(folder: Path, content: str | bytes) -> list[dict[str, str]]:
    (folder / "images").mkdir(exist_ok=True)
    for name in ("a.tif", "images/b.tif"):
        (folder / name).touch()
    data = content if isinstance(content, bytes) else content.encode()
    (folder / "pairs.csv").write_bytes(data)
    return read_pairs(folder)


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.replace(",", ";"),
        lambda t: BOM + t.replace(",", ";").replace("\n", "\r\n"),
        lambda t: t.replace(",", "\t"),
        lambda t: t.replace(",", "\t").encode("utf-16"),
        lambda t: b"\xfe\xff" + t.encode("utf-16-be"),
        lambda t: t.replace("\n", ",,\n"),
        lambda t: t.replace(",", ";").replace("\n", ";;\n"),
        lambda t: t + ",,,\n\n,,,\n",
        lambda t: t.replace("\na", "\n\na"),
        lambda t: t.replace(",", ", "),
        lambda t: t.replace("field,group,input,target", "Field,GROUP,Input,Target"),
        lambda t: t.replace("images/", "images\\"),
        lambda t: t.replace("b.tif", "b.tif "),
        lambda t: "sep=;\n" + t.replace(",", ";"),
        lambda t: "\n".join(",".join(f'"{e}"' for e in line.split(",")) for line in t.split()),
        lambda t: t.replace("\n", "\r"),
    ],
)
def test_tables_of_spreadsheets_read_as_the_plain_one(
    tmp_path: Path, change: Callable[[str], str | bytes]
) -> None:
    expected = [
        {"field": name, "group": group, "input": "a.tif", "target": "images/b.tif"}
        for name, group in (("a", "one"), ("b", "two"))
    ]
    assert pairs(tmp_path, TABLE) == expected
    assert pairs(tmp_path, change(TABLE)) == expected


def test_other_delimiters_stay_in_the_entries(tmp_path: Path) -> None:
    assert pairs(tmp_path, TABLE.replace("one", "one; dish\t2"))[0]["group"] == "one; dish\t2"
    quoted = TABLE.replace(",", ";").replace("one", '"one;2,5"')
    assert pairs(tmp_path, quoted)[0]["group"] == "one;2,5"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            TABLE.replace("one", "\u00e9").encode("latin-1"),
            "must be text in UTF-8 .* CSV UTF-8",
        ),
        (TABLE.replace("\nb", ",,x\nb"), "line 2: the number of entries, 6, .* columns, 4"),
        (TABLE.replace("target\n", "target,Target\n").replace(".tif\n", ".tif,x\n"), "given twice"),
        (TABLE.replace("a.tif", "x" * 300 + ".tif"), "does not exist"),
        (TABLE.replace("a.tif", "a\0.tif"), "does not exist|CSV"),
        (TABLE.replace("images/b.tif", "..\\b.tif"), "inside it"),
    ],
)
def test_tables_that_are_wrong_are_one_clear_error(
    tmp_path: Path, content: str | bytes, message: str
) -> None:
    with pytest.raises(DatasetError, match=message):
        pairs(tmp_path, content)
