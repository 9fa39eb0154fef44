"""Rules of this repository that no ready-made linter knows. `python -m tests.lint` prints what breaks them."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("itsm", "cmdb", "slas", "incidents", "problems", "changes", "reports", "portal", "workspace")

TEMPLATE_RULES: list[tuple[re.Pattern[str], str]] = [
    (re.compile(r"\sstyle\s*="), "an inline style: the content security policy blocks it; write a class"),
    (re.compile(r"\son[a-z]+\s*=", re.I), "an inline event handler: the content security policy blocks it"),
    (re.compile(r"\bhx-on\b"), "hx-on evaluates text as code, which the content security policy blocks"),
    (re.compile(r"[\"'=]\s*(js|javascript):"), "code in an attribute: the content security policy blocks it"),
    (re.compile(r"<script(?![^>]*\ssrc\s*=)[^>]*>"), "a script without src: put it in static/js, data in |json_script"),
    (re.compile(r"<style\b"), "a style element: the content security policy blocks it; put it in static/css"),
    (re.compile(r"\|\s*safe(seq)?\b"), "|safe switches escaping off"),
    (re.compile(r"{%\s*autoescape\s+off"), "autoescape off switches escaping off"),
]


def lint_template(text: str) -> Iterator[tuple[int, str]]:
    """Yield line and complaint for each rule that a template breaks."""
    text = re.sub(r"{%\s*comment.*?endcomment\s*%}|{#.*?#}", lambda gone: "\n" * gone[0].count("\n"), text, flags=re.S)
    for pattern, complaint in TEMPLATE_RULES:
        for found in pattern.finditer(text):
            yield text.count("\n", 0, found.start() + 1) + 1, complaint


def lint_code(text: str, path: str) -> Iterator[tuple[int, str]]:
    """Yield line and complaint for each rule that a Python file breaks; `path` is relative to the repository."""
    may_move = "/actions" in path or path.endswith("/statuses.py")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign) and not may_move:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(_is_others_status(target) for target in targets):
                yield node.lineno, "status is assigned outside actions: call the verb, it is the one door"
        if isinstance(node, ast.Call):
            named = {keyword.arg for keyword in node.keywords}
            if named & {"eta", "countdown"}:
                yield (
                    node.lineno,
                    "eta and countdown keep due times in the broker: store an instant and let a tick find it",
                )
            if (
                isinstance(node.func, ast.Attribute)
                and node.func.attr == "update"
                and "status" in named
                and not may_move
            ):
                yield node.lineno, "status is updated outside actions: call the verb, it is the one door"
        if isinstance(node, ast.ImportFrom) and any(name.name == "mark_safe" for name in node.names):
            yield node.lineno, "mark_safe switches escaping off: use format_html"


def _is_others_status(target: ast.expr) -> bool:
    if isinstance(target, ast.Tuple | ast.List):
        return any(_is_others_status(one) for one in target.elts)
    is_status = isinstance(target, ast.Attribute) and target.attr == "status"
    return is_status and not (isinstance(target.value, ast.Name) and target.value.id == "self")


def complaints() -> Iterator[str]:
    """Yield every complaint about this repository as `file:line: text`."""
    for file in sorted((ROOT / "templates").rglob("*")):
        if file.suffix in {".html", ".svg"}:
            for line, complaint in lint_template(file.read_text()):
                yield f"{file.relative_to(ROOT)}:{line}: {complaint}"
    for room in ROOMS:
        for file in sorted((ROOT / room).rglob("*.py")):
            path = file.relative_to(ROOT).as_posix()
            if "/migrations/" not in path:
                for line, complaint in lint_code(file.read_text(), path):
                    yield f"{path}:{line}: {complaint}"


def main() -> int:
    """Print the complaints; returns 1 when there are any."""
    found = list(complaints())
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
