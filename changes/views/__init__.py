"""The pages of changes beside the ticket page: list, new, library, success, how risk is worked out."""
