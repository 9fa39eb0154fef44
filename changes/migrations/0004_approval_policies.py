"""Store who approves changes until somebody says otherwise."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from changes.defaults import install_policies


def fill(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    """Install the policies where there are none."""
    install_policies(lambda name: apps.get_model("approvals", name))


class Migration(migrations.Migration):
    dependencies = [("changes", "0003_risk_defaults"), ("approvals", "0002_append_only")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
