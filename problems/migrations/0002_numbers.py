"""Problem numbers come from a database sequence (PRB0040001 is the first); versions of a workaround are for good."""

from django.db import migrations

REFUSE = """
CREATE FUNCTION problems_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % is refused.', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END;
$$;
CREATE TRIGGER workaroundversion_immutable BEFORE UPDATE OR DELETE ON problems_workaroundversion
    FOR EACH ROW EXECUTE FUNCTION problems_refuse_change();
"""
ALLOW = """
DROP TRIGGER workaroundversion_immutable ON problems_workaroundversion;
DROP FUNCTION problems_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("problems", "0001_initial")]
    operations = [
        migrations.RunSQL("CREATE SEQUENCE ticket_number_prb START 40001", "DROP SEQUENCE ticket_number_prb"),
        migrations.RunSQL(REFUSE, ALLOW),
    ]
