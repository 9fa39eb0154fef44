"""The tree of categories."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from itsm.accounts.changelog import fingerprint, state_of
from itsm.tickets.actions.settings import CATEGORY_FIELDS, save_category
from itsm.tickets.models import Category
from itsm.tickets.models.settings import PATH_SEPARATOR
from workspace.administration.access import actor_of, page, settings_page, submit
from workspace.administration.forms.tickets import CategoryForm

DEEPEST_INDENT = 6


@dataclass(frozen=True)
class Branch:
    """One line of the tree. `team` is the category's own or that of the nearest ancestor (`inherited`)."""

    category: Category
    depth: int
    team: str
    inherited: bool


def tree_of(rows: list[Category]) -> list[Branch]:
    """Return the categories depth first, brothers by name, each with the team that its tickets go to."""
    children: dict[int | None, list[Category]] = {}
    for row in rows:
        children.setdefault(row.parent_id, []).append(row)
    found: list[Branch] = []

    def walk(parent: int | None, depth: int, team: str) -> None:
        for row in sorted(children.get(parent, ()), key=lambda one: one.name.lower()):
            own = str(row.team) if row.team else ""
            found.append(Branch(row, min(depth, DEEPEST_INDENT), own or team, not own and bool(team)))
            walk(row.pk, depth + 1, own or team)

    walk(None, 0, "")
    return found


@require_safe
@settings_page("categories")
def categories(request: HttpRequest) -> HttpResponse:
    """The tree."""
    return page(request, "categories", "categories", {"tree": tree_of(list(Category.objects.select_related("team")))})


@require_http_methods(["GET", "HEAD", "POST"])
@settings_page("categories")
def edit(request: HttpRequest, ref: str = "") -> HttpResponse:
    """Add a category, or rename, move or switch one."""
    category = get_object_or_404(Category.objects.select_related("team", "parent"), public_id=ref) if ref else None
    context: dict[str, Any] = {
        "category": category,
        "title": _("Change a category") if category else _("Add a category"),
    }
    if request.method != "POST":
        values: dict[str, Any] = {"parent": request.GET.get("parent", ""), "is_active": True}
        if category:
            values = {
                "name": category.name,
                "parent": category.parent.public_id if category.parent else "",
                "team": category.team.public_id if category.team else "",
                "is_active": category.is_active,
                "seen": fingerprint(state_of(category, CATEGORY_FIELDS)),
            }
            below = Category.objects.within(category).count() - 1
            context |= {"below": below, "separator": PATH_SEPARATOR}
        return page(request, "categories", "edit", {**context, "form": CategoryForm(initial=values, category=category)})
    form = CategoryForm(request.POST, category=category)
    saved, status = submit(
        form,
        lambda values: save_category(category, actor=actor_of(request), **values),
        state=lambda: state_of(Category.objects.get(pk=category.pk), CATEGORY_FIELDS) if category else {},
    )
    if saved is None:
        return page(request, "categories", "edit", {**context, "form": form}, status)
    messages.success(request, _("“%(path)s” is saved.") % {"path": saved.path})
    return redirect("administration:categories")
