"""The database refuses to change or remove what the change log says."""

from django.db import migrations

REFUSE = """
CREATE FUNCTION accounts_refuse_log_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The change log is append-only: % is refused.', TG_OP USING ERRCODE = 'insufficient_privilege';
END;
$$;
CREATE TRIGGER adminevent_append_only BEFORE UPDATE OR DELETE ON accounts_adminevent
    FOR EACH ROW EXECUTE FUNCTION accounts_refuse_log_change();
CREATE TRIGGER adminevent_no_truncate BEFORE TRUNCATE ON accounts_adminevent
    FOR EACH STATEMENT EXECUTE FUNCTION accounts_refuse_log_change();
"""
ALLOW = """
DROP TRIGGER adminevent_no_truncate ON accounts_adminevent;
DROP TRIGGER adminevent_append_only ON accounts_adminevent;
DROP FUNCTION accounts_refuse_log_change();
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_change_log")]
    operations = [migrations.RunSQL(REFUSE, ALLOW)]
