"""The agents' pages by address: who gets in, and that each of them answers."""

import pytest

from incidents.actions import open_incident
from tests.cast import Cast, as_

PAGES = [
    "/desk/",
    "/desk/queue/",
    "/desk/queue/?layout=table",
    "/desk/queue/?view=team-network&q=team:network",
    "/desk/new/",
    "/desk/search/?q=vpn",
    "/desk/queue/filters/",
    "/desk/queue/live/?view=open",
    "/desk/queue/suggest/?q=te",
    "/desk/people/?q=ri",
    "/desk/teams/?q=net",
    "/desk/search/palette/?q=vpn",
    "/desk/new/priority/?impact=1&urgency=1",
    "/desk/new/similar/?requester=0",
]


@pytest.mark.parametrize("url", PAGES)
def test_a_page_is_for_the_desk_alone(cast: Cast, signed_in, client, url: str) -> None:
    open_incident(actor=as_(cast.rita), title="VPN is down")
    assert signed_in(cast.anna).get(url).status_code == 200
    assert signed_in(cast.rita).get(url).status_code == 404
    answer = client.get(url)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/?next=/desk/")
