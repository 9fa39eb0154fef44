"""Cookies, headers, limits, passwords and login. Whatever needs https follows the scheme of PUBLIC_URL."""

from ipaddress import ip_network

from django.utils.csp import CSP

from itsm.settings.environment import HTTPS, PUBLIC_HOST, PUBLIC_URL, env

ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[]) or [PUBLIC_HOST, "localhost", "127.0.0.1", "[::1]"]
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

SESSION_ENGINE = "django.contrib.sessions.backends.db"  # in the database: a broker that is down logs nobody out
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = HTTPS
SESSION_COOKIE_AGE = 7 * 24 * 3600
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SECURE = HTTPS
# A browser takes a __Host- cookie only over https from this very host, so that no subdomain can plant one. Over plain
# http the port keeps two copies on one machine from logging each other out.
_COOKIE_PREFIX = "__Host-" if HTTPS else ""
_COOKIE_SUFFIX = "" if HTTPS else f"_{PUBLIC_URL.rpartition(':')[2]}"
SESSION_COOKIE_NAME = f"{_COOKIE_PREFIX}sessionid{_COOKIE_SUFFIX}"
CSRF_COOKIE_NAME = f"{_COOKIE_PREFIX}csrftoken{_COOKIE_SUFFIX}"

SECURE_SSL_REDIRECT = HTTPS
# What is asked straight, without the proxy that speaks https: a redirect would lead there.
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
# Who may read /metrics: whoever has this token, or comes straight (through no proxy) from one of these networks.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
METRICS_FROM = [ip_network(one) for one in env.list("METRICS_FROM", default=[])]
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS else 0
# The proxy in front must set this header itself and drop whatever the client sent.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
SECURE_CSP = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.SELF],
    "style-src": [CSP.SELF],
    "img-src": [CSP.SELF, "data:"],
    "font-src": [CSP.SELF],
    "connect-src": [CSP.SELF],
    "form-action": [CSP.SELF],
    "frame-ancestors": [CSP.NONE],
    "base-uri": [CSP.NONE],
    "object-src": [CSP.NONE],
}
SILENCED_SYSTEM_CHECKS = [
    "security.W005",  # HSTS for subdomains: they are not ours to decide about
    "security.W021",  # HSTS preload: a promise for the whole domain, the operator's to give
]

DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
FILE_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
# What one request may weigh with all its files; refused by its Content-Length before a byte of it is read.
REQUEST_MAX_BYTES = env.int("REQUEST_MAX_BYTES", default=64 * 1024 * 1024)
FILE_UPLOAD_PERMISSIONS = 0o640
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o750

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "itsm.accounts.backends.RoleBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

PASSWORD_RESET_TIMEOUT = 3600  # seconds; a link is used at once or asked for again

LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "itsm.accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"  # accounts are made by an administrator, never by signing up
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if HTTPS else "http"
# Behind a TLS proxy the client's address is the last one the proxy adds; without one the header is not believed.
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if HTTPS else 0
