"""The desk's pages of incidents beside the ticket page that all kinds share."""
