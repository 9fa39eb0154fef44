"""Logging: one line a record on standard output, the process named in it."""

from itsm.settings.environment import env

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"quiet_repeats": {"()": "itsm.logs.QuietRepeats", "seconds": 30}},
    "formatters": {"line": {"()": "itsm.logs.LineFormatter"}},
    "handlers": {
        "line": {
            "class": "logging.StreamHandler",
            "stream": "ext://sys.stdout",
            "formatter": "line",
            "filters": ["quiet_repeats"],
        }
    },
    "root": {"handlers": ["line"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        "django": {"level": "INFO"},
        # Beat rings every second: the ordinary course of it is no news.
        "celery.beat": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        # It tells of each table of each font that a document takes a part of.
        "fontTools": {"level": "WARNING"},
    },
}
