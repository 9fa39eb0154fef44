"""Start-up of the component kit."""

from django.apps import AppConfig


class UiConfig(AppConfig):
    """The kit as a Django app; registers the check that every icon a template names exists."""

    name = "itsm.ui"
    label = "ui"
    verbose_name = "Component kit"

    def ready(self) -> None:
        from itsm.ui import checks  # noqa: F401  (registers itself; checks need loaded settings)
