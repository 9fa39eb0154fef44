"""The database refuses to rewrite what was measured; a fresh install has calendars and policies to begin with."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from slas.defaults import install

REFUSE = """
CREATE FUNCTION slas_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % is refused.', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END;
$$;
CREATE TRIGGER calendarversion_immutable BEFORE UPDATE OR DELETE ON slas_calendarversion
    FOR EACH ROW EXECUTE FUNCTION slas_refuse_change();
CREATE TRIGGER chainversion_immutable BEFORE UPDATE OR DELETE ON slas_chainversion
    FOR EACH ROW EXECUTE FUNCTION slas_refuse_change();
CREATE TRIGGER run_append_only BEFORE UPDATE OR DELETE ON slas_run
    FOR EACH ROW EXECUTE FUNCTION slas_refuse_change();
CREATE TRIGGER slaevent_append_only BEFORE UPDATE OR DELETE ON slas_slaevent
    FOR EACH ROW EXECUTE FUNCTION slas_refuse_change();
"""
ALLOW = """
DROP TRIGGER slaevent_append_only ON slas_slaevent;
DROP TRIGGER run_append_only ON slas_run;
DROP TRIGGER chainversion_immutable ON slas_chainversion;
DROP TRIGGER calendarversion_immutable ON slas_calendarversion;
DROP FUNCTION slas_refuse_change();
"""


def install_defaults(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    """Store the product's service levels; without any policy a desk would promise nothing."""
    install(lambda name: apps.get_model("slas", name))


class Migration(migrations.Migration):
    dependencies = [("slas", "0001_initial")]
    operations = [
        migrations.RunSQL(REFUSE, ALLOW),
        migrations.RunPython(install_defaults, migrations.RunPython.noop),
    ]
