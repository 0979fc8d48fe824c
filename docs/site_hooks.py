# ruff: noqa: INP001  # mkdocs loads it by its path
"""What the site does to pages that are written for GitHub: those at the root come along, links lead where they can."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mkdocs.structure.files import File

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

ROOT: Final = Path(__file__).parent.parent
AT_THE_ROOT: Final = {"CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
_OUT: Final = re.compile(r"(?<=\]\()\.\./([^)\s#]+)")
_DOWN: Final = re.compile(r"(?<=\]\()docs/([^)\s#]+)")
_PICTURES: Final = "images/views"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that stand at the root of the checkout, where GitHub looks for them."""
    for name, page in AT_THE_ROOT.items():
        text = _DOWN.sub(r"\1", (ROOT / name).read_text(encoding="utf-8"))
        files.append(File.generated(config, page, content=text))
    return files


def on_page_markdown(markdown: str, config: MkDocsConfig, **_context: Any) -> str:
    """Let links that leave docs/, or name a folder of it, lead to such a page or to the repository."""
    repository = config.extra["repository"]

    def there(found: re.Match[str]) -> str:
        name = found[1]
        kind = "tree" if (ROOT / name).is_dir() else "blob"
        return AT_THE_ROOT.get(name) or f"{repository}/{kind}/main/{name}"

    return _OUT.sub(there, markdown).replace(f"]({_PICTURES})", f"]({repository}/tree/main/docs/{_PICTURES})")
