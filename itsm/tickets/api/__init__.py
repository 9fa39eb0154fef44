"""What tickets of every kind have in the API: comments, attachments, events, links, watchers; and the categories.

The views of this folder serve one kind each: a process room wires them with `as_view(…, kind="incident")`.
"""
