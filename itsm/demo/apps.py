"""A desk to try things on: made on the first start unless `--empty` was asked for."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "itsm.demo"
    label = "demo"
