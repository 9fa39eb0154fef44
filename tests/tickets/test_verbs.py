"""The kernel's verbs: what they write, refuse and leave alone."""

import io

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from hypothesis import given
from hypothesis import strategies as st

from incidents.actions import cancel, open_incident
from incidents.models import Incident
from itsm.tickets.actions import (
    assign,
    attach,
    comment,
    link,
    override_priority,
    store_upload,
    unlink,
    unwatch,
    update,
    watch,
)
from itsm.tickets.actions.files import MAX_FILE_BYTES
from itsm.tickets.actors import Channel
from itsm.tickets.errors import IllegalMove, Invalid, Refused, Stale, TooLarge
from itsm.tickets.models import Attachment, PriorityCell, RoutingRule, Ticket, Visibility
from itsm.tickets.texts import clean_file_name, clean_text
from tests.cast import Cast, as_


@pytest.fixture
def incident(cast: Cast) -> Incident:
    return open_incident(actor=as_(cast.rita, Channel.PORTAL), title="Scanner lost", impact=2, urgency=2)


@pytest.mark.parametrize(
    ("impact", "urgency", "priority"),
    [(1, 1, 1), (1, 2, 2), (2, 1, 2), (1, 3, 3), (2, 2, 3), (3, 1, 3), (2, 3, 4), (3, 2, 4), (3, 3, 4)],
)
def test_priority_comes_from_the_matrix(cast: Cast, impact: int, urgency: int, priority: int) -> None:
    opened = open_incident(actor=as_(cast.rita), title="x", impact=impact, urgency=urgency)
    assert opened.priority == priority


def test_an_edited_matrix_counts_from_then_on(cast: Cast, incident: Incident) -> None:
    PriorityCell.objects.update_or_create(impact=2, urgency=2, defaults={"priority": 1})
    assert open_incident(actor=as_(cast.rita), title="x", impact=2, urgency=2).priority == 1
    assert Incident.objects.get(pk=incident.pk).priority == 3


def test_routing_takes_the_first_rule_then_service_then_category(cast: Cast) -> None:
    RoutingRule.objects.create(name="Also VPN", condition={}, team=cast.desktop, order=20, is_active=False)
    by_rule = open_incident(actor=as_(cast.rita), title="My VPN is gone", service=cast.mail)
    assert by_rule.team == cast.network
    assert by_rule.events.get().data["rule"] == "VPN words"
    assert open_incident(actor=as_(cast.rita), title="Slow", service=cast.mail).team == cast.desktop
    assert open_incident(actor=as_(cast.rita), title="Jam", category=cast.printers).team == cast.desktop
    assert open_incident(actor=as_(cast.rita), title="Who knows").team is None


def test_a_routing_rule_that_cannot_be_read_is_passed_over(cast: Cast) -> None:
    RoutingRule.objects.create(name="Broken", condition={"field": "gone"}, team=cast.desktop, order=1)
    assert open_incident(actor=as_(cast.rita), title="VPN").team == cast.network


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "   "}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"title": "a\x00b"}, "title"),
        ({"title": "a\ud800b"}, "title"),
        ({"title": 7}, "title"),
        ({"title": "x", "description": "x" * 100_001}, "description"),
        ({"title": "x", "impact": 0}, "impact"),
        ({"title": "x", "impact": True}, "impact"),
        ({"title": "x", "urgency": "1"}, "urgency"),
        ({"title": "x", "external_id": "x" * 101}, "external_id"),
    ],
)
def test_bad_values_open_nothing(cast: Cast, values: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as error:
        open_incident(actor=as_(cast.rita), **values)  # type: ignore[arg-type]
    assert list(error.value.fields) == [field]
    assert error.value.fields[field].endswith(".")
    assert Ticket.objects.count() == 0


def test_all_problems_are_said_at_once(cast: Cast) -> None:
    with pytest.raises(Invalid) as error:
        open_incident(actor=as_(cast.rita), title="", impact=9, urgency=9)
    assert set(error.value.fields) == {"title", "impact", "urgency"}


def test_a_requester_opens_only_for_themselves(cast: Cast) -> None:
    with pytest.raises(Refused):
        open_incident(actor=as_(cast.rita), title="x", requester=cast.rosa)
    with pytest.raises(Refused):
        open_incident(actor=as_(cast.rita), title="x", team=cast.network)
    opened = open_incident(actor=as_(cast.anna), title="x", requester=cast.rosa)
    assert (opened.requester, opened.opened_by) == (cast.rosa, cast.anna)


def test_a_key_does_not_open_what_has_become_somebody_elses(cast: Cast) -> None:
    mine = open_incident(actor=as_(cast.rita), title="x", submission_key="k")
    update(mine, {"requester": cast.rolf}, actor=as_(cast.anna))
    with pytest.raises(Refused, match="sent before"):
        open_incident(actor=as_(cast.rita), title="x", submission_key="k")


def test_a_new_ticket_goes_only_to_those_who_can_work_on_it(cast: Cast) -> None:
    with pytest.raises(Invalid, match="does not work on tickets"):
        open_incident(actor=as_(cast.anna), title="x", assignee=cast.rolf)
    cast.desktop.is_active = False
    with pytest.raises(Invalid, match="no longer active"):
        open_incident(actor=as_(cast.anna), title="x", team=cast.desktop)
    assert Ticket.objects.count() == 0


def test_update_sets_priority_anew_and_says_so(cast: Cast, incident: Incident) -> None:
    changed = update(incident, {"urgency": 1, "title": " New\n title "}, actor=as_(cast.anna), version=1)
    assert (changed.priority, changed.title, changed.version) == (2, "New title", 2)


def test_a_change_that_changes_nothing_writes_nothing(cast: Cast, incident: Incident) -> None:
    same = update(incident, {"title": incident.title, "impact": 2}, actor=as_(cast.anna))
    assert (same.version, same.event_seq) == (1, 1)
    assert assign(incident, actor=as_(cast.anna), team=None).event_seq == 1


def test_stale_version_is_refused_and_nothing_written(cast: Cast, incident: Incident) -> None:
    update(incident, {"title": "First"}, actor=as_(cast.anna), version=1)
    with pytest.raises(Stale) as error:
        update(incident, {"title": "Second"}, actor=as_(cast.ben), version=1)
    assert (error.value.seen, error.value.current) == (1, 2)
    assert Incident.objects.get(pk=incident.pk).title == "First"


def test_requesters_do_not_edit(cast: Cast, incident: Incident) -> None:
    for verb in (
        lambda: update(incident, {"title": "x"}, actor=as_(cast.rita)),
        lambda: assign(incident, actor=as_(cast.rita), assignee=cast.rita),
        lambda: override_priority(incident, 1, reason="me!", actor=as_(cast.rita)),
        lambda: comment(incident, "psst", actor=as_(cast.rita), visibility=Visibility.INTERNAL),
        lambda: comment(incident, "hello", actor=as_(cast.rolf)),
        lambda: watch(incident, cast.rosa, actor=as_(cast.rita)),
    ):
        with pytest.raises(Refused):
            verb()
    assert Incident.objects.get(pk=incident.pk).event_seq == 1


def test_unknown_fields_and_wrong_values_are_named(cast: Cast, incident: Incident) -> None:
    with pytest.raises(Invalid) as error:
        update(incident, {"status": "closed", "impact": 7, "requester": None}, actor=as_(cast.anna))
    assert set(error.value.fields) == {"status", "impact", "requester"}


def test_priority_by_hand_needs_right_and_reason(cast: Cast, incident: Incident) -> None:
    with pytest.raises(Refused, match="team lead"):
        override_priority(incident, 1, reason="Board meeting", actor=as_(cast.anna))
    with pytest.raises(Invalid):
        override_priority(incident, 1, reason="  ", actor=as_(cast.lena))
    with pytest.raises(Invalid):
        override_priority(incident, 6, reason="x", actor=as_(cast.lena))
    changed = override_priority(incident, 1, reason="Board meeting", actor=as_(cast.lena))
    assert (changed.priority, changed.priority_reason) == (1, "Board meeting")
    back = update(changed, {"impact": 3}, actor=as_(cast.anna))
    assert (back.priority, back.priority_reason) == (4, "")


def test_assigning_to_another_team_drops_a_person_outside_it(cast: Cast, incident: Incident) -> None:
    owned = assign(incident, actor=as_(cast.anna), team=cast.network, assignee=cast.anna)
    assert owned.reassignment_count == 0
    moved = assign(owned, actor=as_(cast.anna), team=cast.desktop)
    assert (moved.team, moved.assignee) == (cast.desktop, None)


def test_only_workers_are_assigned(cast: Cast, incident: Incident) -> None:
    with pytest.raises(Invalid, match="does not work on tickets"):
        assign(incident, actor=as_(cast.anna), assignee=cast.rolf)


def test_an_ended_ticket_is_not_edited(cast: Cast, incident: Incident) -> None:
    ended = cancel(incident, actor=as_(cast.rita), reason="Found it")
    for verb in (
        lambda: update(ended, {"title": "x"}, actor=as_(cast.anna)),
        lambda: assign(ended, actor=as_(cast.anna), assignee=cast.anna),
        lambda: override_priority(ended, 1, reason="x", actor=as_(cast.lena)),
    ):
        with pytest.raises(IllegalMove):
            verb()


def test_a_comment_is_written_once_for_one_key(cast: Cast, incident: Incident) -> None:
    first = comment(incident, "Hello", actor=as_(cast.rita), submission_key="k")
    again = comment(incident, "Hello", actor=as_(cast.rita), submission_key="k")
    assert first == again
    assert incident.comments.count() == 1
    other = comment(incident, "Hello", actor=as_(cast.anna), submission_key="k")
    assert other != first
    elsewhere = open_incident(actor=as_(cast.rita), title="Another")
    assert comment(elsewhere, "Hello", actor=as_(cast.rita), submission_key="k") != first


@pytest.mark.parametrize("body", ["", "  \n ", "x" * 100_001, "nul\x00"])
def test_bad_comments_are_refused(cast: Cast, incident: Incident, body: str) -> None:
    with pytest.raises(Invalid):
        comment(incident, body, actor=as_(cast.rita))
    assert incident.comments.count() == 0


def test_files_are_typed_by_content_and_stored_under_random_keys(cast: Cast, incident: Incident) -> None:
    png = b"\x89PNG\r\n\x1a\n" + b"\0" * 64
    stored = store_upload(SimpleUploadedFile("../../etc/pass\u202ewd.txt", png, content_type="text/html"))
    (found,) = attach(incident, (stored,), actor=as_(cast.rita))
    assert found.content_type == "image/png"
    assert found.name == "passwd.txt"
    assert "pass" not in found.storage_key
    with default_storage.open(found.storage_key) as file:
        assert file.read() == png
    assert len(found.sha256) == 64
    assert found.size == len(png)


def test_empty_and_huge_files_are_refused(cast: Cast) -> None:
    with pytest.raises(Invalid, match="empty"):
        store_upload(SimpleUploadedFile("a.txt", b""))
    huge = SimpleUploadedFile("a.bin", b"x")
    huge.size = MAX_FILE_BYTES + 1
    with pytest.raises(TooLarge, match="25"):
        store_upload(huge)
    assert Attachment.objects.count() == 0


def test_internal_files_are_hidden_from_the_requester(cast: Cast, incident: Incident) -> None:
    stored = store_upload(SimpleUploadedFile("log.txt", b"secret"))
    with pytest.raises(Refused):
        attach(incident, (stored,), actor=as_(cast.rita), visibility=Visibility.INTERNAL)
    attach(incident, (stored,), actor=as_(cast.anna), visibility=Visibility.INTERNAL)
    assert not Attachment.objects.visible_to(cast.rita).exists()
    assert Attachment.objects.visible_to(cast.ben).count() == 1


def test_a_file_comes_too_late_for_an_ended_ticket(cast: Cast, incident: Incident) -> None:
    ended = cancel(incident, actor=as_(cast.rita), reason="Found it")
    stored = store_upload(SimpleUploadedFile("log.txt", b"late"))
    with pytest.raises(IllegalMove):
        attach(ended, (stored,), actor=as_(cast.rita))
    assert attach(ended, (stored,), actor=as_(cast.anna), visibility=Visibility.INTERNAL)


def test_links_and_watchers(cast: Cast, incident: Incident) -> None:
    other = open_incident(actor=as_(cast.rosa), title="Same here")
    made = link(incident, other, "duplicate_of", actor=as_(cast.anna))
    assert link(incident, other, "duplicate_of", actor=as_(cast.anna)) == made
    with pytest.raises(Invalid):
        link(incident, incident, "related", actor=as_(cast.anna))
    with pytest.raises(Invalid):
        link(incident, other, "hates", actor=as_(cast.anna))
    unlink(made, actor=as_(cast.anna))
    assert not incident.links_out.exists()

    assert not Incident.objects.visible_to(cast.rosa).filter(pk=incident.pk).exists()
    watch(incident, cast.rosa, actor=as_(cast.anna))
    watch(incident, cast.rosa, actor=as_(cast.anna))
    assert Incident.objects.visible_to(cast.rosa).filter(pk=incident.pk).exists()
    unwatch(incident, cast.rosa, actor=as_(cast.rosa))
    assert not Incident.objects.visible_to(cast.rosa).filter(pk=incident.pk).exists()


@given(st.text(max_size=300))
def test_any_text_is_stored_as_it_is_or_refused(text: str) -> None:
    try:
        kept = clean_text(text, "x", 200)
    except Invalid:
        return
    assert "\x00" not in kept
    assert len(kept) <= 200
    kept.encode()
    assert clean_text(kept, "x", 200) == kept


@given(st.text(max_size=400))
def test_any_file_name_becomes_a_plain_one(name: str) -> None:
    kept = clean_file_name(name)
    assert 0 < len(kept) <= 200
    assert "/" not in kept
    assert "\\" not in kept
    assert kept.isprintable()
    assert kept not in {".", ".."}


def test_uploads_are_read_from_the_start(cast: Cast) -> None:
    upload = SimpleUploadedFile("a.txt", b"hello")
    upload.seek(0, io.SEEK_END)
    stored = store_upload(upload)
    with default_storage.open(stored.storage_key) as file:
        assert file.read() == b"hello"
