"""Rules that every template of the project keeps, and the pages that appear when something is wrong."""

import gzip
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.template import engines
from django.template.loader import get_template, render_to_string

from itsm.ui import checks

ROOT = Path(settings.BASE_DIR) / "templates"
TEMPLATES = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.html"))
FORBIDDEN = {
    r"\sstyle\s*=": "style attribute: use a class",
    r"\son[a-z]+\s*=\s*[\"']": "on… attribute: listen from a module",
    r"hx-on": "hx-on evaluates text",
    r"[\"']js:": "js: evaluates text",
    r"hx-trigger=\"[^\"]*\[": "a filter in hx-trigger evaluates text",
    r"<script(?![^>]*\ssrc=)": "script without src",
    r"\|\s*safe\b": "safe filter",
    r"autoescape\s+off": "autoescape off",
    r"hx-boost": "boosting swaps bodies",
}


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_compiles_and_holds_nothing_that_the_content_policy_forbids(name: str) -> None:
    source = (ROOT / name).read_text(encoding="utf-8")
    get_template(name)
    # Mail programs read no style sheet, so a mail may carry style attributes; nothing else is let through.
    allowed = {r"\sstyle\s*="} if "mail/" in name else set()
    found = [why for pattern, why in FORBIDDEN.items() if pattern not in allowed and re.search(pattern, source)]
    assert not found


def test_every_icon_that_is_named_exists() -> None:
    assert checks.icons_exist(None) == []


def test_a_mistyped_icon_is_an_error_at_start_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "page.html").write_text("{% load ui %}{% icon 'clokc' %}{% icon \"clock\" %}", encoding="utf-8")
    monkeypatch.setattr(engines["django"], "dirs", [tmp_path])
    errors = checks.icons_exist(None)
    assert [error.id for error in errors] == ["ui.E002"]
    assert "clokc" in errors[0].msg


def test_without_npm_there_is_one_error_that_says_so(settings, tmp_path: Path) -> None:
    settings.BASE_DIR = tmp_path
    assert [(error.id, error.hint) for error in checks.icons_exist(None)] == [("ui.E001", "Run npm ci.")]


@pytest.mark.parametrize("code", [400, 403, 404, 409, 413, 500, 503])
def test_an_error_page_stands_alone_and_says_what_to_do(code: int) -> None:
    page = render_to_string(f"{code}.html")  # without a request, as Django's last resort renders it
    assert f"Error {code}" in " ".join(page.split())
    assert 'class="btn btn-primary"' in page
    assert "Traceback" not in page


def test_a_reason_on_an_error_page_is_text() -> None:
    assert "&lt;b&gt;no&lt;/b&gt;" in render_to_string("403.html", {"reason": "<b>no</b>"})


def _weight(*names: str) -> int:
    total = 0
    for name in names:
        found = finders.find(name)
        assert found, f"{name} is not served: run npm ci"
        total += len(gzip.compress(Path(found).read_bytes(), 9))
    return total


def test_styles_and_scripts_of_a_page_stay_within_their_budget() -> None:
    styles = re.findall(r"static '([^']+\.css)'", (ROOT / "components/styles.html").read_text(encoding="utf-8"))
    scripts = [f"js/{path.name}" for path in (Path(settings.BASE_DIR) / "static/js").glob("*.js")]
    assert _weight(*[name for name in styles if "rtl" not in name]) <= 55_000
    assert _weight("vendor/htmx/htmx.min.js", *scripts) <= 40_000
