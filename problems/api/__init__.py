"""Problems in the REST API."""
