"""The database refuses to rewrite what policies said and what people decided."""

from django.db import migrations

REFUSE = """
CREATE FUNCTION approvals_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % is refused.', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END;
$$;
CREATE TRIGGER policyversion_immutable BEFORE UPDATE OR DELETE ON approvals_policyversion
    FOR EACH ROW EXECUTE FUNCTION approvals_refuse_change();
CREATE TRIGGER ask_decided_stays BEFORE UPDATE OR DELETE ON approvals_ask
    FOR EACH ROW WHEN (OLD.decided_at IS NOT NULL) EXECUTE FUNCTION approvals_refuse_change();
"""
ALLOW = """
DROP TRIGGER ask_decided_stays ON approvals_ask;
DROP TRIGGER policyversion_immutable ON approvals_policyversion;
DROP FUNCTION approvals_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("approvals", "0001_initial")]
    operations = [migrations.RunSQL(REFUSE, ALLOW)]
