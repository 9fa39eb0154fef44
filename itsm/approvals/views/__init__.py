"""Pages of approvals: what waits for one, one approval, the link in a mail, delegations."""
