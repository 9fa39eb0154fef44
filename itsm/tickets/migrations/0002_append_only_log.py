"""The database refuses to change or remove what the event log says, and knows the default priority matrix."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

REFUSE = """
CREATE FUNCTION tickets_refuse_log_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The event log is append-only: % is refused.', TG_OP USING ERRCODE = 'insufficient_privilege';
END;
$$;
CREATE TRIGGER ticketevent_append_only BEFORE UPDATE OR DELETE ON tickets_ticketevent
    FOR EACH ROW EXECUTE FUNCTION tickets_refuse_log_change();
CREATE TRIGGER ticketevent_no_truncate BEFORE TRUNCATE ON tickets_ticketevent
    FOR EACH STATEMENT EXECUTE FUNCTION tickets_refuse_log_change();
"""
ALLOW = """
DROP TRIGGER ticketevent_no_truncate ON tickets_ticketevent;
DROP TRIGGER ticketevent_append_only ON tickets_ticketevent;
DROP FUNCTION tickets_refuse_log_change();
"""
LEVELS = (1, 2, 3)
LOWEST_BY_RULE = 4


def fill_matrix(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    """Store the default matrix, priority = min(4, impact + urgency - 1), where nobody has set another."""
    cell = apps.get_model("tickets", "PriorityCell")
    for impact in LEVELS:
        for urgency in LEVELS:
            cell.objects.get_or_create(
                impact=impact,
                urgency=urgency,
                defaults={"priority": min(LOWEST_BY_RULE, impact + urgency - 1)},
            )


class Migration(migrations.Migration):
    dependencies = [("tickets", "0001_initial")]
    operations = [
        migrations.RunSQL(REFUSE, ALLOW),
        migrations.RunPython(fill_matrix, migrations.RunPython.noop),
    ]
