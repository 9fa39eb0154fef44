"""What the surroundings decide: the data directory, the public address, the servers' addresses.

Every variable is optional; `docs/operations.md` lists them.
"""

import ipaddress
import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ

from itsm import datadir

BASE_DIR = Path(__file__).resolve().parent.parent.parent
env = environ.Env()

DATA_DIR = Path(env.str("ITSM_DATA_DIR", default=str(BASE_DIR / "var"))).absolute()
datadir.prepare(DATA_DIR)
SECRET_KEY = env.str("SECRET_KEY", default="") or datadir.secret_key(DATA_DIR)

# Which of the processes this is: `web`, `worker`, `ticker`, `beat`, or `command` for everything else.
PROCESS = env.str("ITSM_PROCESS", default="command")

# The address people use; links in mail start with it, and https in it switches on everything that needs https.
PUBLIC_URL = env.str("PUBLIC_URL", default="http://localhost:8000").rstrip("/")
HTTPS = PUBLIC_URL.startswith("https://")
PUBLIC_HOST = urlsplit(PUBLIC_URL).hostname or "localhost"

# Where webhooks may go besides public addresses by https (see docs/on-call.md): networks such as 10.20.0.0/16.
WEBHOOK_ALLOWED_NETWORKS = [ipaddress.ip_network(one) for one in env.list("WEBHOOK_ALLOWED_NETWORKS", default=[])]
WEBHOOK_ALLOW_HTTP = env.bool("WEBHOOK_ALLOW_HTTP", default=False)

REDIS_URL = env.str("REDIS_URL", default="redis://127.0.0.1:6379/0")


def database() -> dict[str, Any]:
    """Return the database's settings: a pool in the web process, one lasting connection elsewhere.

    A statement that hangs gives up: in a request after 15 s, in a worker after 60 s; a command may take its time.
    """
    config: dict[str, Any] = env.db("DATABASE_URL", default="postgresql:///itsm")
    options: dict[str, Any] = config.setdefault("OPTIONS", {})
    config["CONN_HEALTH_CHECKS"] = True
    short, long = ("15s", "5s"), ("60s", "10s")
    limits = {"web": short, "worker": long, "ticker": long, "beat": short}.get(PROCESS)
    if limits:
        statement, lock = limits
        options["options"] = (
            f"-c statement_timeout={statement} -c lock_timeout={lock} -c idle_in_transaction_session_timeout=60s"
        )
    if PROCESS == "web":
        # One connection for each thread that serves requests (see itsm/supervisor.py), kept while it is used.
        options["pool"] = {"min_size": 1, "max_size": env.int("WEB_THREADS", default=4), "timeout": 5}
    else:
        config["CONN_MAX_AGE"] = None
    config["TEST"] = {"NAME": env.str("TEST_DATABASE_NAME", default="test_itsm")}
    return config


def mailers() -> dict[str, dict[str, Any]]:
    """Return Django's MAILERS: what EMAIL_URL says (`smtp+tls://user:password@host:587`), else files."""
    if not os.environ.get("EMAIL_URL"):
        return {
            "default": {
                "BACKEND": "itsm.mailfiles.MailFileBackend",
                "OPTIONS": {"folder": str(DATA_DIR / "mail")},
            }
        }
    url = env.email("EMAIL_URL")
    if not url["EMAIL_BACKEND"].endswith("smtp.EmailBackend"):
        return {"default": {"BACKEND": url["EMAIL_BACKEND"]}}
    options = {
        "host": url["EMAIL_HOST"],
        "port": url["EMAIL_PORT"] or (465 if url.get("EMAIL_USE_SSL") else 587 if url.get("EMAIL_USE_TLS") else 25),
        "username": url["EMAIL_HOST_USER"] or "",
        "password": url["EMAIL_HOST_PASSWORD"] or "",
        "use_tls": bool(url.get("EMAIL_USE_TLS")),
        "use_ssl": bool(url.get("EMAIL_USE_SSL")),
        "timeout": 20,
    }
    return {"default": {"BACKEND": url["EMAIL_BACKEND"], "OPTIONS": options}}
