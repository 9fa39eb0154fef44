"""The parts below the surface: cache, mail files, logs, static files, settings, lint."""

import logging
import stat
import subprocess
import sys
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.mail import EmailMessage
from django.test import override_settings

from itsm.cache import SteadyCache
from itsm.logs import LineFormatter, QuietRepeats
from itsm.mailfiles import MailFileBackend
from itsm.settings.celery import broker_url
from itsm.staticfinders import PackageFinder
from tests import lint
from tests.setup.conftest import environment


def test_the_cache_goes_on_without_its_server() -> None:
    cache = SteadyCache("unix:///nowhere.sock", {})
    cache.set("a", 1)
    assert cache.get("a") == 1
    assert cache.add("a", 2) is False
    assert cache.incr("a") == 2
    assert cache.has_key("a")
    assert cache.delete("a") is True
    assert cache.get("a", "gone") == "gone"


def test_the_cache_uses_its_server_when_there_is_one() -> None:
    first, second = (SteadyCache(settings.REDIS_URL, {"KEY_PREFIX": "test-steady"}) for _ in range(2))
    first.set("shared", 1, timeout=10)
    assert second.get("shared") == 1
    assert second.touch("shared", 10) is True
    assert second.delete("shared") is True
    assert first.get("shared") is None


def test_a_mail_becomes_one_private_file(tmp_path: Path) -> None:
    backend = MailFileBackend(folder=str(tmp_path / "mail"), alias="default")
    sent = backend.send_messages([EmailMessage("Grüße", "Text", "desk@x.example", ["a@x.example"])])
    (file,) = (tmp_path / "mail").iterdir()
    assert sent == 1
    assert file.suffix == ".eml"
    assert stat.S_IMODE(file.stat().st_mode) & 0o007 == 0
    assert message_from_bytes(file.read_bytes(), policy=policy.default)["Subject"] == "Grüße"


def record(message: str, name: str = "celery.beat", level: int = logging.ERROR) -> logging.LogRecord:
    return logging.LogRecord(name, level, "file.py", 7, message, None, None)


def test_a_record_is_one_line_whatever_is_in_it() -> None:
    line = LineFormatter().format(record("first\nforged line\r\nthird"))
    assert "\n" not in line
    assert "\r" not in line
    assert line.endswith("ERROR celery.beat: first | forged line | third")


def test_a_complaint_is_not_repeated_every_second_and_other_records_always_pass() -> None:
    quiet = QuietRepeats(seconds=1000)
    assert [quiet.filter(record("away")) for _ in range(3)] == [True, False, False]
    assert quiet.filter(record("news", level=logging.INFO))
    assert quiet.filter(record("a view failed", name="django.request"))
    assert quiet.filter(record("a view failed", name="django.request"))


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("unix:///a/b%20c.sock?db=3", "redis+socket:///a/b%20c.sock?virtual_host=3"),
        ("unix:///a.sock", "redis+socket:///a.sock?virtual_host=0"),
        ("rediss://user:word@host:6380/1", "rediss://user:word@host:6380/1"),
    ],
)
def test_the_broker_is_addressed_as_kombu_wants_it(given: str, wanted: str) -> None:
    assert broker_url(given) == wanted


def test_only_listed_files_of_packages_are_served() -> None:
    assert finders.find("vendor/htmx/htmx.min.js")
    assert not finders.find("vendor/htmx/htmx.js")
    assert not finders.find("vendor/htmx/../../package.json")
    assert PackageFinder().check() == []


def test_a_package_that_is_not_installed_is_an_error(tmp_path: Path) -> None:
    with override_settings(BASE_DIR=tmp_path):
        assert {error.id for error in PackageFinder().check()} == {"itsm.E001"}


def read_settings(names: str, **variables: str) -> list[str]:
    """Return what settings become with these variables, read in a process of their own."""
    code = f"from itsm import settings as s; print(*[getattr(s, n) for n in {names.split()!r}], sep='\\n')"
    command = [sys.executable, "-c", code]
    ran = subprocess.run(command, capture_output=True, text=True, env=environment(**variables), check=True)
    return ran.stdout.splitlines()


def test_https_makes_cookies_strict(tmp_path: Path) -> None:
    names = "SESSION_COOKIE_SECURE SESSION_COOKIE_NAME CSRF_COOKIE_NAME SECURE_SSL_REDIRECT ALLOWED_HOSTS"
    found = read_settings(names, PUBLIC_URL="https://desk.example/", ITSM_DATA_DIR=str(tmp_path))
    assert found[:4] == ["True", "__Host-sessionid", "__Host-csrftoken", "True"]
    assert "desk.example" in found[4]


def test_the_secret_key_is_made_once_and_kept(tmp_path: Path) -> None:
    first, second = (read_settings("SECRET_KEY", ITSM_DATA_DIR=str(tmp_path)) for _ in range(2))
    assert first == second
    assert len(first[0]) > 50


def test_email_url_becomes_a_mailer(tmp_path: Path) -> None:
    (found,) = read_settings("MAILERS", EMAIL_URL="smtp+tls://me:pass%40word@mail.example", ITSM_DATA_DIR=str(tmp_path))
    assert "'host': 'mail.example', 'port': 587, 'username': 'me', 'password': 'pass@word', 'use_tls': True" in found


def test_nothing_that_beat_rings_piles_up() -> None:
    for name, entry in settings.CELERY_BEAT_SCHEDULE.items():
        assert entry["options"]["expires"] == max(2 * entry["schedule"], 3600), name
    assert settings.CELERY_ACCEPT_CONTENT == ["json"]
    transport = settings.CELERY_BROKER_TRANSPORT_OPTIONS
    assert transport["visibility_timeout"] >= 2 * settings.CELERY_TASK_TIME_LIMIT


def test_every_task_that_beat_rings_exists() -> None:
    from itsm.celery import app

    app.loader.import_default_modules()
    assert {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()} <= set(app.tasks)


@pytest.mark.parametrize(
    "template",
    [
        '<p style="color:red">',
        "<a onclick='x()'>",
        '<a\n onClick="x()">',
        "<div hx-on::load='x'>",
        "<div hx-vals='js:{a:1}'>",
        '<a href="javascript:x()">',
        "<script>x()</script>",
        "<style>p{}</style>",
        "{{ text|safe }}",
        "{% autoescape off %}",
    ],
)
def test_the_template_lint_finds(template: str) -> None:
    assert [line for line, _complaint in lint.lint_template(f"\n{template}")] == [template.count("\n") + 2]


@pytest.mark.parametrize(
    "template",
    ['<script src="x.js" defer></script>', "{{ data|json_script:'d' }}", "{# style= #}", '<b data-once="1">'],
)
def test_the_template_lint_lets_pass(template: str) -> None:
    assert list(lint.lint_template(template)) == []


@pytest.mark.parametrize(
    "code",
    [
        "ticket.status = 'x'",
        "ticket.status, a = 1, 2",
        "Ticket.objects.update(status='x')",
        "task.apply_async(countdown=3)",
        "task.apply_async(eta=now)",
        "from django.utils.safestring import mark_safe",
    ],
)
def test_the_code_lint_finds(code: str) -> None:
    assert [line for line, _complaint in lint.lint_code(code, "incidents/views.py")] == [1]


def test_the_code_lint_lets_verbs_move() -> None:
    assert list(lint.lint_code("incident.status = 'x'", "incidents/actions/resolving.py")) == []
    assert list(lint.lint_code("self.status = 400", "incidents/views.py")) == []
