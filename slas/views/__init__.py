"""Pages behind links in mails, and the calendar feed."""
