"""The REST API and its description."""

from itsm.settings.environment import HTTPS, env

# How often one token (or signed-in person) may call, and how many bad tokens one address may show, each minute.
API_CALLS_PER_MINUTE = env.int("API_CALLS_PER_MINUTE", default=30_000)
API_BAD_TOKENS_PER_MINUTE = env.int("API_BAD_TOKENS_PER_MINUTE", default=60)

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "itsm.api.authentication.BearerAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": [
        "rest_framework.permissions.IsAuthenticated",
        "itsm.api.permissions.TokenReachesFar",
    ],
    "DEFAULT_THROTTLE_CLASSES": ["itsm.api.throttles.CallerThrottle"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["itsm.api.parsers.StrictJSONParser"],
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "itsm.api.problems.answer_problem",
    "URL_FORMAT_OVERRIDE": None,
    # Behind a TLS proxy the client's address is the last one the proxy adds; without one the header is not believed.
    "NUM_PROXIES": 1 if HTTPS else 0,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Service desk API",
    "DESCRIPTION": (
        "Everything the service desk does, for programs. Sign in with `Authorization: Bearer TOKEN`; "
        "`bin/manage create_token EMAIL` makes a token. Errors are problem details (RFC 9457)."
    ),
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "LICENSE": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PUBLIC": True,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "COMPONENT_SPLIT_REQUEST": False,
    "COMPONENT_SPLIT_PATCH": False,
    "ENUM_NAME_OVERRIDES": {
        "IncidentStatus": "incidents.statuses.Status",
        "ChangeStatus": "changes.statuses.Status",
        "ChangeType": "changes.statuses.ChangeType",
        "CloseCode": "changes.statuses.CloseCode",
        "Risk": "changes.statuses.Risk",
        "ProblemStatus": "problems.statuses.Status",
        "TaskStatus": "itsm.tasking.statuses.Status",
        "ProblemOutcomeCode": "problems.statuses.OutcomeCode",
        "HoldReason": "incidents.statuses.HoldReason",
        "ResolutionCode": "incidents.statuses.ResolutionCode",
        "Channel": "itsm.tickets.actors.Channel",
        "Visibility": "itsm.tickets.models.Visibility",
        "Level": "itsm.tickets.models.Level",
        "Priority": "itsm.tickets.models.Priority",
        "LinkKind": "itsm.tickets.models.LinkKind",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "itsm.api.schema.describe_problems",
    ],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "validatorUrl": None, "persistAuthorization": False},
}
