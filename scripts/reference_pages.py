"""Makes the pages of the Python reference when mkdocs builds the site: one for each package, a section per module."""

import ast
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

SOURCE = Path(__file__).parents[1] / "src" / "motionclip"
PACKAGES = (
    "motion", "body", "formats", "render", "io", "encoders", "data",
    "model", "losses", "metrics", "training", "applications", "export", "server",
)  # fmt: skip
#: Of the server, only the function that makes the application is meant for other programs.
ONLY = {"server": ["server/app.py"]}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds `api/NAME.md` for each package to the files of the site."""
    for name in PACKAGES:
        files.append(File.generated(config, f"api/{name}.md", content=page(name)))
    return files


def page(name: str) -> str:
    """The Markdown of a package's page: directives of mkdocstrings."""
    paths = [SOURCE / path for path in ONLY[name]] if name in ONLY else modules(SOURCE / name)
    return f"# motionclip.{name}\n\n" + "\n".join(directive(path, name) for path in paths)


def modules(package: Path) -> list[Path]:
    """The public modules of a package, its ``__init__`` first; the file itself if it is a module."""
    if not package.is_dir():
        return [package.with_suffix(".py")]
    return sorted(path for path in package.rglob("*.py") if path.stem == "__init__" or path.stem[0] != "_")


def directive(path: Path, page_name: str) -> str:
    """The directive for one module; a package shows what it defines, not what it imports from its modules."""
    parts = path.relative_to(SOURCE).with_suffix("").parts
    name = ".".join(parts).removesuffix(".__init__")
    lines = [f"::: motionclip.{name}", "    options:"]
    if name == page_name:
        lines.append("      show_root_heading: false")
    if parts[-1] == "__init__":
        body = ast.parse(path.read_text()).body
        defined = [node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
        lines.append(f"      members: {[each for each in defined if each[0] != '_'] or 'false'}")
    return "\n".join(lines if len(lines) > 2 else lines[:1]) + "\n"
