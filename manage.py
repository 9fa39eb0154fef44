#!/usr/bin/env python
"""Runs Django's commands; `bin/manage` calls it with the services up."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "itsm.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
