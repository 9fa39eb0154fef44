"""The REST API: what all endpoints share, and their addresses.

Each room describes its own things in its `api` module or folder, on top of the verbs and querysets of the room; this
package holds what they have in common (signing in, reading bodies, paging, problem details) and wires them by address.
"""
