from pathlib import Path

import pytest
from pydantic import Field, field_validator

from cytopress.errors import NotAvailableError, UsageError
from cytopress.toml_table import TomlTable, parse_toml, read_text


class Leaf(TomlTable):
    edge: int = Field(default=1, ge=1)
    form: str = Field(default="", alias="as")


class Root(TomlTable):
    name: str
    leaf: Leaf | None = None
    leaves: tuple[Leaf, ...] = ()

    @field_validator("name")
    @classmethod
    def _checked(cls, name: str) -> str:
        if name == "extra":
            raise NotAvailableError("name needs an extra.")
        if name == "bad":
            raise ValueError("a bad name")
        return name


def parse(text: str) -> Root:
    return parse_toml(text, Root, "a.toml")


def test_a_file_becomes_a_frozen_value(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text('name = "é"\n[[leaves]]\nas = "x"\n', encoding="utf-8")
    assert parse(read_text(path)) == Root(name="é", leaves=(Leaf.model_validate({"as": "x"}),))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("nam = 1", "unknown key 'nam'; known: name, leaf, leaves."),
        ("name = 'a'\n[leaf]\nedg = 1", "unknown key 'edg' in leaf; known: edge, as."),
        ("name = 'a'\n[[leaves]]\nform = 1", "unknown key 'form' in leaves.0; known: edge, as."),
        ("[leaf]", "'name' must be given."),
        (
            "name = 'a'\n[leaf]\nedge = 0",
            "leaf.edge = 0 is not allowed: input should be greater than or equal to 1.",
        ),
        ("name = 'bad'", "name: a bad name."),
        ("name = 'extra'", "name needs an extra."),
    ],
)
def test_the_first_fault_is_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text)
    assert str(caught.value) == f"a.toml: {sentence}"


def test_what_is_no_toml_or_no_text(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not valid TOML"):
        parse("name =")
    with pytest.raises(UsageError, match="cannot be read"):
        read_text(tmp_path / "none.toml")
    (tmp_path / "a.toml").write_bytes(b"\xff")
    with pytest.raises(UsageError, match="not UTF-8"):
        read_text(tmp_path / "a.toml")
