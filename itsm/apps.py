"""Start-up of what all rooms share."""

from django.apps import AppConfig


class ItsmConfig(AppConfig):
    """The project as an app: its commands, and the Celery application that tasks and senders bind to."""

    name = "itsm"
    label = "itsm"

    def ready(self) -> None:
        from itsm import celery  # noqa: F401  (makes it the current application; needs loaded settings)
        from itsm.pdf import checks  # noqa: F401  (registers itself; checks need loaded settings)
