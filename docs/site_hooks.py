"""What the site does to pages that are written for GitHub: the two at the root come along, links out of docs/ go there."""

import re
from pathlib import Path

from mkdocs.structure.files import File

ROOT = Path(__file__).parent.parent
AT_THE_ROOT = {"CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
_OUT = re.compile(r"(?<=\]\()\.\./([^)\s#]+)")
_DOWN = re.compile(r"(?<=\]\()docs/([^)\s#]+)")


def on_files(files, config):
    """Add the pages that stand at the root of the checkout, where GitHub looks for them."""
    for name, page in AT_THE_ROOT.items():
        text = _DOWN.sub(r"\1", (ROOT / name).read_text(encoding="utf-8"))
        files.append(File.generated(config, page, content=text))
    return files


def on_page_markdown(markdown, config, **_context):
    """Let links that leave docs/ lead to such a page, or to the repository."""

    def there(found):
        name = found[1]
        kind = "tree" if (ROOT / name).is_dir() else "blob"
        return AT_THE_ROOT.get(name) or f"{config['repo_url']}/{kind}/main/{name}"

    return _OUT.sub(there, markdown).replace("](images/views)", f"]({config['repo_url']}/tree/main/docs/images/views)")
