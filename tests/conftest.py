"""What all tests share: the cast, signed-in clients, and a database whose log can be emptied between tests."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import hypothesis
import pytest
from django.conf import settings
from django.db import connection
from django.db.backends.postgresql.operations import DatabaseOperations
from django.test import Client, override_settings
from pytest_django import DjangoDbBlocker

from itsm.accounts.models import User
from itsm.tickets import outbox
from tests.cast import Cast, make_cast
from tests.chromium import PATH, Chromium
from tests.emptying import sql_flush
from tests.memory import forget_test, remembered

hypothesis.settings.register_profile("fast", max_examples=50, deadline=None)
hypothesis.settings.register_profile("deep", max_examples=2000, deadline=None)
# A landing must not hang on what was drawn that day: there the same examples each time, new ones on every other run.
hypothesis.settings.register_profile("fixed", max_examples=50, deadline=None, derandomize=True)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed" if os.environ.get("CI") else "fast"))

SHARING = ("tests/e2e/", "tests/setup/test_serve.py")
BROWSER = Chromium()


def pytest_configure(config: pytest.Config) -> None:
    """Stop early where the servers are missing: every test that follows would say so in its own way."""
    missing = [name for name in ("DATABASE_URL", "REDIS_URL") if not os.environ.get(name)]
    if missing:
        raise pytest.UsageError(f"{' and '.join(missing)} not set. Run the tests with bin/test [pytest arguments].")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out browser tests where there is no browser."""
    if PATH is None:
        for item in items:
            if item.get_closest_marker("browser"):
                item.add_marker(pytest.mark.skip(reason="no Chromium on this machine"))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Keep the tests that share a served product on one worker; `xdist_group` does nothing with this pytest."""
    from xdist.scheduler import LoadScopeScheduling

    class OneProductOneWorker(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return next((place for place in SHARING if nodeid.startswith(place)), nodeid)

    return OneProductOneWorker(config, log)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly when browser tests were left out."""
    if PATH is None:
        terminalreporter.write_line(
            "BROWSER CHECKS DID NOT RUN: there is no Chromium (Debian: apt-get install chromium)", red=True, bold=True
        )


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Stop the browser before a test that has no use for it: while it runs, this thread has a loop."""
    forget_test()
    if not item.get_closest_marker("e2e") and "chromium" not in getattr(item, "fixturenames", ()):
        BROWSER.stop()


@pytest.fixture(scope="session")
def no_browser_stays() -> Iterator[None]:
    """Stop the browser in the end."""
    yield
    BROWSER.stop()


@pytest.fixture
def chromium(no_browser_stays: None) -> Any:
    """Return the browser; only for tests marked `browser`, which close the windows that they open."""
    return BROWSER.browser()


@pytest.fixture(scope="session", autouse=True)
def fast_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Hash passwords cheaply (Argon2 is slow on purpose); static files uncollected; files and cache of their own."""
    with override_settings(
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        STORAGES={
            **settings.STORAGES,
            "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
        },
        CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
        MEDIA_ROOT=tmp_path_factory.mktemp("media"),
    ):
        yield


@pytest.fixture(scope="session", autouse=True)
def unhurried_outbox() -> Iterator[None]:
    """Let one `dispatch` hand over everything, however busy the machine is: a worker would simply come again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(outbox, "LONGEST_RUN_S", 60.0)
        yield


@pytest.fixture(scope="session", autouse=True)
def quick_emptying() -> Iterator[None]:
    """Empty the database by deleting after a test that commits."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "sql_flush", sql_flush)
        yield


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Let the test runner empty the event log between tests; UPDATE and DELETE stay refused."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE tickets_ticketevent DISABLE TRIGGER ticketevent_no_truncate")
        cursor.execute("ALTER TABLE accounts_adminevent DISABLE TRIGGER adminevent_no_truncate")


@pytest.fixture
def cast(db: None) -> Cast:
    """The people, teams and services that the tests talk about."""
    return remembered("cast", make_cast)


@pytest.fixture
def signed_in() -> Callable[[User], Client]:
    """Return a function that gives a browser signed in as the user."""

    def sign_in(user: User) -> Client:
        client = Client()
        client.force_login(user, backend="itsm.accounts.backends.RoleBackend")
        return client

    return sign_in
