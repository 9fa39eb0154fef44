"""Searching, filtering, choosing a look, opening for a caller, and changing many: with good input and bad."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from incidents.actions import hold, open_incident
from incidents.models import Incident
from itsm.tickets.actions import assign
from itsm.tickets.models import Attachment, Ticket
from tests.cast import Cast, as_
from workspace.models import QueuePreference

QUEUE = "/desk/queue/"


def _titles(answer: Any) -> list[str]:
    return [row.title for row in answer.context["board"].rows]


def test_each_queue_holds_what_its_name_says_and_counts_it(cast: Cast, signed_in: Any) -> None:
    mine = open_incident(actor=as_(cast.rita), title="VPN mine")
    assign(mine, actor=as_(cast.anna), assignee=cast.anna)
    open_incident(actor=as_(cast.rita), title="VPN free")
    held = open_incident(actor=as_(cast.rita), title="Mouse")
    hold(held, actor=as_(cast.carl), hold_reason="awaiting_caller", comment="Which?")
    client = signed_in(cast.anna)
    expected = {"open": 3, "mine": 1, "unassigned": 2, "waiting": 1, "team-network": 2, "resolved": 0, "all": 3}
    for key, count in expected.items():
        answer = client.get(f"{QUEUE}?view={key}")
        assert len(_titles(answer)) == count, key
        assert answer.context["board"].counts.get(key, count) == count, key
    assert client.get(f"{QUEUE}?view=team-desktop").status_code == 200
    for key in ("nothing", "team-nothing", "team-", "x" * 900):
        assert client.get(f"{QUEUE}?view={key}").status_code == 404


@pytest.mark.parametrize(
    ("text", "says"),
    [("tam:network", "Did you mean team"), ("status:nwe", "new"), ('"open', ""), ("due:<bla", ""), ("team:nobody", ""),
     ("(" * 500, ""), ("a " * 3000, ""), ("assignee:ghost@example.com", "ghost")],
)  # fmt: skip
def test_a_mistake_in_the_search_is_explained_and_the_text_kept(
    cast: Cast, signed_in: Any, text: str, says: str
) -> None:
    open_incident(actor=as_(cast.rita), title="VPN")
    answer = signed_in(cast.anna).get(QUEUE, {"q": text})
    assert answer.status_code == 422
    problem = answer.context["board"].search.problem
    assert problem.message
    assert says in problem.message
    assert 'aria-invalid="true"' in answer.text
    assert answer.context["board"].search.text == text.strip()
    assert _titles(answer) == []


@pytest.mark.parametrize(
    "query",
    ["cursor=nonsense", "sort=name", "layout=cube", "density=0", "cursor=" + "A" * 2000],
)
def test_an_address_that_was_made_up_is_refused_with_a_sentence(cast: Cast, signed_in: Any, query: str) -> None:
    answer = signed_in(cast.anna).get(f"{QUEUE}?{query}")
    assert answer.status_code == 400
    assert "That was not done" in answer.text


def test_paging_goes_there_and_back_without_losing_a_ticket(cast: Cast, signed_in: Any) -> None:
    for n in range(7):
        open_incident(actor=as_(cast.rita), title=f"VPN {n}")
    client = signed_in(cast.anna)
    seen: list[str] = []
    url = f"{QUEUE}?sort=opened&q=vpn"
    import workspace.board

    before, workspace.board.PAGE = workspace.board.PAGE, 3
    try:
        while url:
            answer = client.get(url)
            seen += _titles(answer)
            last, url = answer.context["board"], answer.context["board"].next_url
        assert seen == [f"VPN {n}" for n in range(6, -1, -1)]
        assert _titles(client.get(last.previous_url)) == seen[3:6]
    finally:
        workspace.board.PAGE = before


def test_names_and_titles_are_shown_as_text(cast: Cast, signed_in: Any) -> None:
    cast.rita.display_name, cast.rita.is_vip = "<b>Rita</b>", True
    cast.rita.save()
    title = "<script>alert(1)</script> \u202e 🔥" + "W" * 150
    open_incident(actor=as_(cast.rita), title=title)
    for url in (QUEUE, f"{QUEUE}?layout=table", "/desk/"):
        page = signed_in(cast.anna).get(url).text
        assert "<script>alert" not in page
        assert "&lt;b&gt;Rita&lt;/b&gt;</bdi>" in page
        assert "VIP" in page
        assert 'dir="auto"' in page


def test_a_filter_becomes_the_searchs_text(cast: Cast, signed_in: Any) -> None:
    client = signed_in(cast.anna)

    def text(**sent: Any) -> str:
        answer = client.get("/desk/queue/filters/", {"apply": 1, "view": "open", **sent})
        assert answer.status_code == 302
        return parse_qs(urlsplit(answer["Location"]).query).get("q", [""])[0]

    assert text(status=["new", "on_hold"], q="vpn", fields=["status"]) == "vpn status:new,on_hold"
    assert text(priority=["1"], q="vpn status:new", fields=["priority"]) == "vpn status:new priority:1"
    assert text(q="vpn status:new", fields=["status"]) == "vpn"
    assert text(assignee=["me", "none"]) == "assignee:me or assignee:none"
    assert text(team=["network"], service=["vpn"], vip="on") == "team:network service:vpn is:vip"
    assert text(category=["Hardware / Printers"], q="-team:desktop") == '-team:desktop category:"Hardware / Printers"'
    refused = client.get("/desk/queue/filters/", {"apply": 1, "status": "gone"})
    assert refused.status_code == 422
    assert "gone" in refused.text


def test_filters_show_what_is_set_and_leave_what_they_cannot_show(cast: Cast, signed_in: Any) -> None:
    answer = signed_in(cast.anna).get("/desk/queue/filters/", {"q": "team:network service:vpn priority:1 assignee:me"})
    initial = answer.context["filters"].form.initial
    assert initial == {"team": ["network"], "service": ["vpn"], "priority": [1], "assignee": ["me"]}
    assert "team" in answer.context["fields"]
    by_name = signed_in(cast.anna).get("/desk/queue/filters/", {"q": 'service:"Remote access (VPN)"'})
    assert "service" not in by_name.context["fields"]


def test_a_look_is_kept_for_the_person(cast: Cast, signed_in: Any) -> None:
    client = signed_in(cast.anna)
    answer = client.post(f"{QUEUE}look/", {"layout": "table", "sort": "priority", "next": f"{QUEUE}?view=mine"})
    assert answer["Location"] == f"{QUEUE}?view=mine"
    client.post(f"{QUEUE}look/", {"columns": ["", "team", "requester"]})
    look = client.get(QUEUE).context["board"].look
    assert (look.layout, look.sort, look.columns) == ("table", "priority", ("requester", "team"))
    assert signed_in(cast.ben).get(QUEUE).context["board"].look.layout == "list"
    for bad in ({"layout": "cube"}, {"sort": "x"}, {"columns": ["secret"]}):
        assert client.post(f"{QUEUE}look/", bad).status_code == 400
    away = client.post(f"{QUEUE}look/", {"sort": "due", "next": "https://elsewhere.example/"})
    assert away["Location"] == QUEUE
    assert QueuePreference.objects.get(pk=cast.anna.pk).sort == "due"


def test_a_number_leads_straight_to_its_ticket(cast: Cast, signed_in: Any) -> None:
    one = open_incident(actor=as_(cast.rita), title="VPN")
    client = signed_in(cast.anna)
    for text in (one.number, one.number.lower(), one.number.removeprefix("INC"), f" {one.number} "):
        assert client.get("/desk/search/", {"q": text})["Location"] == f"/desk/incidents/{one.number}/"
    assert client.get("/desk/search/", {"q": "INC9999999"}).status_code == 200
    found = client.get("/desk/search/palette/", {"q": one.number}).json()["results"]
    assert [entry["url"] for entry in found] == [f"/desk/incidents/{one.number}/"]
    assert client.get("/desk/search/palette/", {"q": "tam:x"}).json() == {"results": []}


def test_a_refresh_answers_only_when_something_changed(cast: Cast, signed_in: Any) -> None:
    client = signed_in(cast.anna)
    board = client.get(f"{QUEUE}?view=team-network").context["board"]
    assert client.get(f"{board.live_url}&token={board.token}").status_code == 204
    open_incident(actor=as_(cast.rita), title="VPN gone")
    answer = client.get(f"{board.live_url}&token={board.token}")
    assert answer.status_code == 200
    assert "VPN gone" in answer.text
    assert "<html" not in answer.text
    assert client.get(f"{board.live_url}&token={answer.context['board'].token}").status_code == 204


def _form(cast: Cast, **values: Any) -> dict[str, Any]:
    return {
        "requester": cast.rita.public_id,
        "channel": "phone",
        "title": "VPN dead",
        "impact": 1,
        "urgency": 1,
        "submission_key": "once",
        **values,
    }


def test_opening_for_a_caller_keeps_everything_that_was_said(cast: Cast, signed_in: Any) -> None:
    sent = _form(
        cast,
        description="No light.",
        category=cast.printers.public_id,
        service=cast.vpn.public_id,
        team=cast.network.public_id,
        assignee=cast.ben.public_id,
        files=[SimpleUploadedFile("log.txt", b"line")],
    )
    client = signed_in(cast.anna)
    first = client.post("/desk/new/", sent)
    one = Incident.objects.get()
    assert first["Location"] == f"/desk/incidents/{one.number}/"
    assert (one.requester, one.opened_by, one.assignee, one.team) == (cast.rita, cast.anna, cast.ben, cast.network)
    assert (one.channel, one.priority, one.category, one.service) == ("phone", 1, cast.printers, cast.vpn)
    sent["files"] = [SimpleUploadedFile("log.txt", b"line")]
    again = client.post("/desk/new/", sent)
    assert again["Location"] == first["Location"]
    assert (Incident.objects.count(), Attachment.objects.count()) == (1, 1)


def test_without_a_list_the_requester_is_named_by_address(cast: Cast, signed_in: Any) -> None:
    client = signed_in(cast.anna)
    client.post("/desk/new/", _form(cast, requester="", requester_email="Rita@Example.com"))
    assert Incident.objects.get().requester == cast.rita
    refused = client.post("/desk/new/", _form(cast, requester="", requester_email="ghost@example.com"))
    assert refused.status_code == 422
    assert "Nobody has the address ghost@example.com" in refused.text


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"title": ""}, 422),
        ({"title": "x" * 201}, 422),
        ({"title": "a\x00b"}, 400),
        ({"description": "x" * 100_001}, 422),
        ({"requester": "0" * 32}, 422),
        ({"requester": ""}, 422),
        ({"impact": 9}, 422),
        ({"urgency": "high"}, 422),
        ({"channel": "import"}, 422),
        ({"category": "nope"}, 422),
        ({"team": "0" * 32}, 422),
        ({"submission_key": "k" * 101}, 422),
    ],
)
def test_bad_input_is_explained_the_text_kept_and_nothing_written(
    cast: Cast, signed_in: Any, wrong: dict[str, Any], status: int
) -> None:
    answer = signed_in(cast.anna).post("/desk/new/", _form(cast, **{"description": "Kept text", **wrong}))
    assert answer.status_code == status
    assert not Ticket.objects.exists()
    if status == 422 and "description" not in wrong:
        assert "Kept text" in answer.text
        assert 'role="alert"' in answer.text


def test_an_assignee_must_work_on_tickets_and_a_person_who_may_only_look_opens_nothing(
    cast: Cast, signed_in: Any
) -> None:
    answer = signed_in(cast.anna).post("/desk/new/", _form(cast, assignee=cast.rita.public_id))
    assert answer.status_code == 422
    assert signed_in(cast.olaf).post("/desk/new/", _form(cast)).status_code == 403
    assert signed_in(cast.rita).post("/desk/new/", _form(cast)).status_code == 404
    assert not Ticket.objects.exists()


def test_an_empty_file_leaves_nothing_behind(cast: Cast, signed_in: Any) -> None:
    files = [SimpleUploadedFile("good.txt", b"x"), SimpleUploadedFile("empty.txt", b"")]
    answer = signed_in(cast.anna).post("/desk/new/", _form(cast, files=files))
    assert answer.status_code == 422
    assert not Ticket.objects.exists()


def test_many_are_changed_one_by_one_and_each_refusal_has_its_reason(cast: Cast, signed_in: Any) -> None:
    fresh = open_incident(actor=as_(cast.rita), title="VPN new")
    held = open_incident(actor=as_(cast.rita), title="VPN held")
    hold(held, actor=as_(cast.ben), hold_reason="awaiting_vendor")
    client, refs = signed_in(cast.anna), [fresh.public_id, held.public_id]
    page = client.post(f"{QUEUE}bulk/", {"ticket": [*refs, "0" * 32], "do": "move-start"}, follow=True).text
    assert "1 ticket changed." in page
    assert "2 tickets not changed." in page
    assert f"{held.number}: “Start work” is not possible while the ticket is On hold." in page
    client.post(f"{QUEUE}bulk/", {"ticket": refs, "do": "team", "team": cast.desktop.public_id})
    assert set(Ticket.objects.values_list("team", flat=True)) == {cast.desktop.pk}
    client.post(f"{QUEUE}bulk/", {"ticket": refs, "do": "assignee", "assignee": cast.carl.public_id})
    assert set(Ticket.objects.values_list("assignee", flat=True)) == {cast.carl.pk}
    client.post(f"{QUEUE}bulk/", {"ticket": refs, "do": "take"})
    assert set(Ticket.objects.values_list("assignee", flat=True)) == {cast.anna.pk}
    for bad in ({"do": "take"}, {"ticket": refs}, {"ticket": refs, "do": "team", "team": "x"}, {"ticket": refs, "do": "assignee", "assignee": cast.rita.public_id}, {"ticket": ["1"] * 1 + [str(n) for n in range(300)], "do": "take"}):  # fmt: skip  # noqa: E501
        assert client.post(f"{QUEUE}bulk/", bad).status_code == 400
    refused = signed_in(cast.olaf).post(f"{QUEUE}bulk/", {"ticket": refs, "do": "take"}, follow=True)
    assert "2 tickets not changed." in refused.text


def test_people_are_found_only_by_the_desk_and_only_active_ones(cast: Cast, signed_in: Any) -> None:
    cast.rolf.is_active = False
    cast.rolf.save()
    client = signed_in(cast.anna)
    everybody = {row["value"] for row in client.get("/desk/people/?q=example").json()["results"]}
    assert cast.rolf.public_id not in everybody
    workers = client.get("/desk/people/?work=1&q=rita").json()["results"]
    assert workers == []
    assert client.get("/desk/people/?q=rita").json()["results"][0]["value"] == cast.rita.public_id
