"""The data directory: everything one installation writes (cluster, queue, files, mail, key) below one folder."""

import os
import secrets
from pathlib import Path


class DataDirError(RuntimeError):
    """The data directory cannot be used; the text tells a person what to do."""


def prepare(data_dir: Path) -> None:
    """Make the data directory with its folders and the secret key, readable by their owner only.

    Root's directory can be entered by others (its contents cannot be read): PostgreSQL refuses to run as root, and the
    user it runs as has to reach its folder. Raises DataDirError when the place cannot be written.
    """
    enterable = 0o711 if os.geteuid() == 0 else 0o700
    try:
        if not data_dir.exists():
            data_dir.mkdir(mode=enterable, parents=True)
        for name in ("run", "log", "mail", "media", "tmp"):
            (data_dir / name).mkdir(mode=enterable if name == "run" else 0o700, exist_ok=True)
    except OSError as error:
        raise DataDirError(
            f"The data directory {data_dir} cannot be used ({error.strerror}). Choose another with --data DIR."
        ) from error
    if not os.access(data_dir / "run", os.W_OK):
        raise DataDirError(f"The data directory {data_dir} belongs to another user. Choose another with --data DIR.")


def secret_key(data_dir: Path) -> str:
    """Return this installation's secret key, made on first use and readable by its owner only."""
    path = data_dir / "secret_key"
    if not path.exists():
        draft = path.with_name(f"secret_key.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(64))
        try:
            os.link(draft, path)  # unlike a rename, this never replaces the key that another process just made
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text()
