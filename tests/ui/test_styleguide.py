"""The style guide answers its makers and nobody else; every sample page renders."""

import pytest
from django.test import Client

from itsm.ui.views import PAGES


@pytest.mark.parametrize("page", ["", *PAGES])
def test_a_sample_page_renders(client: Client, settings, page: str) -> None:
    settings.DEBUG = True
    answer = client.get(f"/styleguide/{page}")
    assert answer.status_code == 200
    assert b"INC0010482" in answer.content
    assert b"{%" not in answer.content


@pytest.mark.parametrize("page", ["", "queue"])
def test_visitors_find_nothing(client: Client, page: str) -> None:
    assert client.get(f"/styleguide/{page}").status_code == 404


@pytest.mark.parametrize("page", ["nothing", "_ticket", "index"])
def test_only_the_listed_pages_are_served(client: Client, settings, page: str) -> None:
    settings.DEBUG = True
    assert client.get(f"/styleguide/{page}").status_code == 404


def test_the_style_guide_only_reads(client: Client, settings) -> None:
    settings.DEBUG = True
    assert client.post("/styleguide/").status_code == 405
