"""What all tests share: the cast, signed-in clients, and a database whose log can be emptied between tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.db import connection
from django.test import Client
from pytest_django import DjangoDbBlocker

from itsm.accounts.models import User
from tests.cast import Cast, make_cast


@pytest.fixture(scope="session", autouse=True)
def fast_passwords() -> Iterator[None]:
    """Hash passwords cheaply: Argon2 is slow on purpose."""
    from django.test import override_settings

    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Let the test runner empty the event log between tests; UPDATE and DELETE stay refused."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE tickets_ticketevent DISABLE TRIGGER ticketevent_no_truncate")


@pytest.fixture
def cast(db: None) -> Cast:
    """The people, teams and services that the tests talk about."""
    return make_cast()


@pytest.fixture
def signed_in() -> Callable[[User], Client]:
    """Return a function that gives a browser signed in as the user."""

    def sign_in(user: User) -> Client:
        client = Client()
        client.force_login(user, backend="itsm.accounts.backends.RoleBackend")
        return client

    return sign_in
