"""The wheel holds every package and every file the packages read, and nothing else."""

import tomllib
from importlib import resources
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_package_is_declared() -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    declared = set(config["tool"]["setuptools"]["packages"])
    found = {
        ".".join(("ensc", *init.parent.relative_to(ROOT).parts))
        for top in ("compiler", "formats", "runner", "commands")
        for init in (ROOT / top).rglob("__init__.py")
    }
    assert declared == found | {"ensc"}


def test_every_folder_with_modules_is_a_package() -> None:
    for top in ("compiler", "formats", "runner", "commands"):
        for module in (ROOT / top).rglob("*.py"):
            assert (module.parent / "__init__.py").exists(), module


def test_root_holds_the_command_line_and_the_interface_only() -> None:
    assert {path.name for path in ROOT.glob("*.py")} == {"__init__.py", "cli.py"}


def test_grammar_and_explanations_travel_with_the_package() -> None:
    compiler = resources.files("ensc.compiler")
    assert (compiler / "query.lark").is_file()
    assert (compiler / "explanations" / "E0202.md").is_file()
