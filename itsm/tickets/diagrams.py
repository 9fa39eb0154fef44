"""The states of every kind of ticket as diagrams, drawn from the tables of moves that the product itself follows."""

from __future__ import annotations

from django.utils import translation

from itsm.tickets.kinds import Kind, all_kinds

HEAD = """# States

Drawn from the tables of moves by `bin/manage state_diagrams`; with `--check` it says when this page and the product
differ, and a test does too. A move that leaves the status as it is leads back to where it starts. Which moves a ticket
has may hang on more than its status: the guide of its kind says on what.
"""


def states_page() -> str:
    """Return the whole page in English: a diagram for each registered kind."""
    with translation.override("en"):
        return HEAD + "".join(f"\n## {kind.plural or kind.label}\n\n{diagram(kind)}" for kind in _in_order())


def _in_order() -> list[Kind]:
    return sorted(all_kinds(), key=lambda kind: kind.code)


def diagram(kind: Kind) -> str:
    """Return the kind's states and moves as a Mermaid diagram, in the order of its table."""
    lines = ["```mermaid", "stateDiagram-v2"]
    lines += [f'    state "{label}" as {status}' for status, label in kind.statuses.items()]
    lines.append(f"    [*] --> {kind.initial_status}")
    for move in kind.moves.values():
        for source in (status for status in kind.statuses if status in move.sources):
            lines.append(f"    {source} --> {move.target or source}: {move.label}")
    lines += [f"    {status} --> [*]" for status in kind.statuses if status in kind.terminal_statuses]
    return "\n".join([*lines, "```", ""])
