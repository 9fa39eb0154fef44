"""Settings of the project, read from the environment; every default is safe for production.

By subject: `environment` (where things are), `security`, `celery`, `api`, `logs`; applications and pages are here.
"""

from django.utils.translation import gettext_lazy as _

from itsm.settings.api import *
from itsm.settings.celery import *
from itsm.settings.environment import (  # noqa: F401  (read as settings)
    BASE_DIR,
    DATA_DIR,
    HTTPS,
    PROCESS,
    PUBLIC_HOST,
    PUBLIC_URL,
    REDIS_URL,
    SECRET_KEY,
    WEBHOOK_ALLOW_HTTP,
    WEBHOOK_ALLOWED_NETWORKS,
    database,
    env,
    mailers,
)
from itsm.settings.logs import *
from itsm.settings.security import *

DEBUG = env.bool("DEBUG", default=False)

INSTALLED_APPS = [
    "itsm",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "itsm.demo",
    "itsm.ui",
    "itsm.accounts",
    "allauth",
    "allauth.account",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "crispy_forms",
    "crispy_bootstrap5",
    "django_htmx",
    "cmdb",
    "itsm.tickets",
    "itsm.notifications",
    "slas",
    "itsm.desk",
    "itsm.tasking",
    "itsm.approvals",
    "incidents",
    "problems",
    "changes",
    "reports",
    "workspace",
    "portal",
]

MIDDLEWARE = [
    "itsm.middleware.access_log",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "itsm.middleware.refuse_unreadable",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "itsm.accounts.middleware.as_the_viewer_reads",
    "itsm.middleware.keep_private",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "workspace.middleware.desk_rail",
]

ROOT_URLCONF = "itsm.urls"
WSGI_APPLICATION = "itsm.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {"default": database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# Rate limits and the like; while the broker is away each process counts for itself, so that login goes on.
CACHES = {"default": {"BACKEND": "itsm.cache.SteadyCache", "LOCATION": REDIS_URL, "KEY_PREFIX": "itsm"}}
MAILERS = mailers()
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default=f"Service desk <servicedesk@{PUBLIC_HOST}>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
DESK_REPLY_TO = env.str("DESK_REPLY_TO", default="")  # where answers to notices go; empty: to the sender

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("de", _("German"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "itsm.staticfinders.PackageFinder",
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "itsm.staticstorage.HashedStorage"},
}
MEDIA_ROOT = DATA_DIR / "media"
FILE_UPLOAD_TEMP_DIR = DATA_DIR / "tmp"

CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"
