"""Store the risk rules and questions that an installation begins with."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from changes.defaults import install


def fill(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    """Install the defaults where there are none."""
    install(lambda name: apps.get_model("changes", name))


class Migration(migrations.Migration):
    dependencies = [("changes", "0002_numbers")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
