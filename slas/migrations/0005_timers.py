"""What the timers' engine keeps beside its clocks, so that they can be made anew from their tickets' logs.

A run is still never changed. It can be replaced by a rebuild, which says so in its transaction: the database then
writes the old one down among the corrections before it lets it go.
"""

from datetime import UTC, datetime

import django.db.models.deletion
import django.utils.timezone
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from slas.promised import content_of

KEEP = """
CREATE FUNCTION slas_replace_run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('slas.rebuilds', true) = 'yes' THEN
        INSERT INTO slas_correction (at, ticket_id, timer_id, part, old, new)
        SELECT clock_timestamp(), t.ticket_id, OLD.timer_id, 'run', to_jsonb(OLD), NULL
          FROM slas_timer t WHERE t.id = OLD.timer_id;
        RETURN OLD;
    END IF;
    RAISE EXCEPTION '% is append-only: % is refused.', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END;
$$;
DROP TRIGGER run_append_only ON slas_run;
CREATE TRIGGER run_append_only BEFORE UPDATE OR DELETE ON slas_run
    FOR EACH ROW EXECUTE FUNCTION slas_replace_run();
CREATE TRIGGER setupversion_append_only BEFORE UPDATE OR DELETE ON slas_setupversion
    FOR EACH ROW EXECUTE FUNCTION slas_refuse_change();
CREATE TRIGGER sweep_append_only BEFORE UPDATE OR DELETE ON slas_sweep
    FOR EACH ROW EXECUTE FUNCTION slas_refuse_change();
CREATE TRIGGER correction_append_only BEFORE UPDATE OR DELETE ON slas_correction
    FOR EACH ROW EXECUTE FUNCTION slas_refuse_change();
"""
RELEASE = """
DROP TRIGGER correction_append_only ON slas_correction;
DROP TRIGGER sweep_append_only ON slas_sweep;
DROP TRIGGER setupversion_append_only ON slas_setupversion;
DROP TRIGGER run_append_only ON slas_run;
CREATE TRIGGER run_append_only BEFORE UPDATE OR DELETE ON slas_run
    FOR EACH ROW EXECUTE FUNCTION slas_refuse_change();
DROP FUNCTION slas_replace_run();
"""


def write_down(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    """Put what is promised now on record, as valid from the beginning: nothing older is known."""
    content = content_of(lambda name: apps.get_model("slas", name))
    apps.get_model("slas", "SetupVersion").objects.create(at=datetime(1970, 1, 1, tzinfo=UTC), content=content)


class Migration(migrations.Migration):

    dependencies = [
        ('slas', '0004_agreements_steps_and_zones'),
        ('tickets', '0003_comment_once_per_ticket'),
    ]

    operations = [
        migrations.AddField(
            model_name='timer',
            name='reset_held',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='setup',
            name='followed',
            field=models.CharField(blank=True, max_length=32),
        ),
        migrations.CreateModel(
            name='SetupVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(db_index=True, default=django.utils.timezone.now)),
                ('content', models.JSONField()),
            ],
            options={'verbose_name': 'version of the service levels', 'ordering': ('at', 'pk')},
        ),
        migrations.CreateModel(
            name='Sweep',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('after_seq', models.PositiveIntegerField()),
                ('recorded_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('why', models.CharField(choices=[('edit', 'an edit of the service levels'), ('settled', 'the end of an import'), ('zones', 'new data of time zones')], max_length=10)),
                ('timers', models.JSONField(default=list)),
                ('ticket', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tickets.ticket')),
            ],
            options={'verbose_name': 'move of timers by a job', 'ordering': ('ticket_id', 'pk')},
        ),
        migrations.CreateModel(
            name='Correction',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('timer_id', models.BigIntegerField(null=True)),
                ('part', models.CharField(max_length=40)),
                ('old', models.JSONField(null=True)),
                ('new', models.JSONField(null=True)),
                ('ticket', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tickets.ticket')),
            ],
            options={'verbose_name': 'correction of a timer', 'ordering': ('pk',)},
        ),
        migrations.AddIndex(
            model_name='correction',
            index=models.Index(fields=['ticket'], name='correction_ticket'),
        ),
        migrations.RunSQL(KEEP, RELEASE),
        migrations.RunPython(write_down, migrations.RunPython.noop),
    ]
