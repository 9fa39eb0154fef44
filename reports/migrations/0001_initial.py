"""Reasons of breaches, and the indexes that reports look through."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# On tables of other rooms, because nothing but reports asks them this. Each is partial, so that a row is in it only
# from when it can be asked for: a clock that runs is in two of the four.
INDEXES = """
CREATE INDEX report_timer_stopped ON slas_timer (stopped_at) WHERE stopped_at IS NOT NULL;
CREATE INDEX report_timer_breached ON slas_timer (breached_at) WHERE breached_at IS NOT NULL;
CREATE INDEX report_timer_begun ON slas_timer (started_at) WHERE state IN ('running', 'paused');
CREATE INDEX report_timer_due ON slas_timer (due_at, id) WHERE state = 'running' AND breached_at IS NULL;
CREATE INDEX report_event_team ON tickets_ticketevent (ticket_id, seq) WHERE (data -> 'changes') ? 'team';
CREATE INDEX report_event_assignee ON tickets_ticketevent (ticket_id, seq) WHERE (data -> 'changes') ? 'assignee';
CREATE INDEX report_event_held ON tickets_ticketevent (at) WHERE code = 'incident.held';
"""
NO_INDEXES = """
DROP INDEX report_event_held, report_event_assignee, report_event_team, report_timer_due, report_timer_begun,
           report_timer_breached, report_timer_stopped;
"""


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('slas', '0004_agreements_steps_and_zones'),
        ('tickets', '0003_comment_once_per_ticket'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='BreachReason',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reason', models.CharField(choices=[('requester', 'Information from the requester came late'), ('supplier', 'The supplier was late'), ('capacity', 'Nobody was free in time'), ('hand_over', 'It went through too many hands'), ('wrong_team', 'It lay with the wrong team'), ('priority', 'The priority was wrong'), ('difficulty', 'The fault was hard to find or to mend'), ('change', 'The fix had to wait for a change'), ('recording', 'Done in time, recorded late'), ('target', 'The target does not fit this kind of work'), ('other', 'Another reason')], max_length=20, verbose_name='reason')),
                ('remark', models.CharField(blank=True, max_length=1000, verbose_name='remark')),
                ('given_at', models.DateTimeField()),
                ('given_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('timer', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='breach_reason', to='slas.timer')),
            ],
            options={
                'verbose_name': 'reason of a breach',
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('reason', 'other'), _negated=True), models.Q(('remark', ''), _negated=True), _connector='OR'), name='breach_other_has_remark')],
            },
        ),
        migrations.RunSQL(INDEXES, NO_INDEXES),
    ]
