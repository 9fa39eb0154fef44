"""Serve named files of npm packages, and nothing else of node_modules."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.core.checks import CheckMessage, Error
from django.core.files.storage import FileSystemStorage

# (address below static/, folder in node_modules, files)
PACKAGES: list[tuple[str, str, list[str]]] = [
    (
        "vendor/bootstrap",
        "bootstrap/dist",
        ["css/bootstrap.min.css", "css/bootstrap.rtl.min.css", "js/bootstrap.bundle.min.js"],
    ),
    ("vendor/htmx", "htmx.org/dist", ["htmx.min.js"]),
    (
        "vendor/tom-select",
        "tom-select/dist",
        ["js/tom-select.complete.min.js", "css/tom-select.bootstrap5.min.css"],
    ),
    ("vendor/inter", "@fontsource-variable/inter", ["wght.css", "files/inter-*-wght-normal.woff2"]),
]


class PackageFinder(BaseFinder):
    """Find the files of PACKAGES."""

    def check(self, **kwargs: Any) -> list[CheckMessage]:
        """Return an error for each entry that names nothing: the packages are not installed, or they moved a file."""
        return [
            Error(f"No file {pattern} in node_modules/{folder}.", hint="Run npm ci.", id="itsm.E001")
            for _, folder, patterns in PACKAGES
            for pattern in patterns
            if not any(_root(folder).glob(pattern))
        ]

    def find(self, path: str, find_all: bool = False) -> Any:
        """Return where the file with this address lies; a list with `find_all`."""
        found = [str(file) for address, file in _files() if address == path]
        return found if find_all else (found[0] if found else [])

    def list(self, ignore_patterns: Any) -> Iterator[tuple[str, FileSystemStorage]]:
        """Yield each file with the storage it can be read from."""
        for prefix, folder, patterns in PACKAGES:
            storage = FileSystemStorage(location=_root(folder))
            # collectstatic puts a file under its storage's prefix.
            storage.prefix = prefix  # type: ignore[attr-defined]
            for pattern in patterns:
                for file in sorted(_root(folder).glob(pattern)):
                    yield file.relative_to(_root(folder)).as_posix(), storage


def _root(folder: str) -> Path:
    return Path(settings.BASE_DIR) / "node_modules" / folder


def _files() -> Iterator[tuple[str, Path]]:
    for prefix, folder, patterns in PACKAGES:
        for pattern in patterns:
            for file in _root(folder).glob(pattern):
                yield f"{prefix}/{file.relative_to(_root(folder)).as_posix()}", file
