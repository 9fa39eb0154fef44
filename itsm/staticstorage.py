"""Names with a hash of the content, so that a browser may keep a file for ever."""

from typing import Any

from django.contrib.staticfiles.storage import HashedFilesMixin
from whitenoise.storage import CompressedManifestStaticFilesStorage


def _names_source_map(pattern: Any) -> bool:
    return "sourceMappingURL" in (pattern[0] if isinstance(pattern, tuple) else pattern)


def _without_source_maps(patterns: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the patterns without those for source maps, which are not served."""
    return tuple((files, tuple(one for one in group if not _names_source_map(one))) for files, group in patterns)


class HashedStorage(CompressedManifestStaticFilesStorage):
    """WhiteNoise's storage that also rewrites `import "./x.js"` in modules to the hashed names."""

    support_js_module_import_aggregation = True
    patterns = _without_source_maps(HashedFilesMixin.patterns)
