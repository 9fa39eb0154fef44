"""Who gets what: signing in, one's own things, and what says how the product is."""

from tests.security.table.rows import Rows

ROWS: Rows = [
    # Everybody; nothing about the desk is in them.
    (
        (200, 200, 200, 200, 200, 200, 200),
        (
            "healthz",
            "readyz",
            "account_inactive",
            "account_reset_password",
            "account_reset_password_done",
            "account_reset_password_from_key",
            "account_reset_password_from_key_done",
        ),
    ),
    (
        (404, 404, 404, 404, 404, 404, 404),
        (
            "metrics",  # it has a token of its own
        ),
    ),
    (
        (404, 404, 404, 404, 404, 404, 200),
        (
            "ui:styleguide",
            "ui:sample",
        ),
    ),
    (
        (200, 302, 302, 302, 302, 302, 302),
        (
            "account_login",
            "account_signup",
        ),
    ),
    (
        (302, 302, 302, 302, 302, 302, 302),
        (
            "account_set_password",
            "profile_add_token",  # asks for the password again, then leads back
            "account_email",
            "account_email_verification_sent",
        ),
    ),
    (
        (302, 200, 200, 200, 200, 200, 200),
        (
            "profile",
            "account_logout",
            "account_reauthenticate",
            "account_change_password",
        ),
    ),
    ((302, 405, 405, 405, 405, 405, 405), ("profile_remove_token",)),
]
