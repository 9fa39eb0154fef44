"""Agreements with all their rules, steps at offsets, zones of goals; targets to the microsecond."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0005_people_by_name'),
        ('slas', '0003_goal_is_active'),
        ('tickets', '0003_comment_once_per_ticket'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='TeamCalendar',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
            ],
        ),
        migrations.RemoveConstraint(
            model_name='timer',
            name='timer_amounts',
        ),
        migrations.AddField(
            model_name='goal',
            name='target_count',
            field=models.PositiveSmallIntegerField(blank=True, null=True, verbose_name='number of business days'),
        ),
        migrations.AddField(
            model_name='goal',
            name='target_unit',
            field=models.CharField(choices=[('time', 'Open time'), ('business_days', "Business days of the calendar's length of day"), ('close_of_day', 'The close of the nth business day after')], default='time', max_length=13, verbose_name='how the target is meant'),
        ),
        migrations.AddField(
            model_name='goal',
            name='use_team_calendar',
            field=models.BooleanField(default=False, verbose_name="use the team's calendar where it has one"),
        ),
        migrations.AddField(
            model_name='goal',
            name='zone_from',
            field=models.CharField(choices=[('calendar', "The calendar's own zone"), ('location', "The requester's location, else the calendar's"), ('requester', "The requester's zone")], default='calendar', max_length=9, verbose_name='time zone'),
        ),
        migrations.AddField(
            model_name='run',
            name='time_zone',
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name='servicelevelpolicy',
            name='cancel_condition',
            field=models.JSONField(blank=True, null=True, verbose_name='cancelled when'),
        ),
        migrations.AddField(
            model_name='servicelevelpolicy',
            name='late_steps',
            field=models.CharField(choices=[('highest', 'Only the highest, once'), ('none', 'None'), ('all', 'All, in order')], default='highest', max_length=8, verbose_name='steps that are past already'),
        ),
        migrations.AddField(
            model_name='servicelevelpolicy',
            name='on_reopen',
            field=models.CharField(choices=[('resume', 'Go on with the same clock; the time in between does not count'), ('new_cycle', 'Start a new clock; the old one stays as it ended')], default='resume', max_length=10, verbose_name='when reopened'),
        ),
        migrations.AddField(
            model_name='servicelevelpolicy',
            name='on_retarget',
            field=models.CharField(choices=[('keep', 'Keep the time used; only the target changes'), ('restart', 'Start anew: a new cycle from zero'), ('retroactive', 'Count from when the ticket was opened, with the pauses since')], default='keep', max_length=12, verbose_name='when the target changes'),
        ),
        migrations.AddField(
            model_name='servicelevelpolicy',
            name='reset_condition',
            field=models.JSONField(blank=True, null=True, verbose_name='started anew when'),
        ),
        migrations.AddField(
            model_name='servicelevelpolicy',
            name='start_from',
            field=models.CharField(choices=[('attach', 'When the policy comes to apply'), ('opened', 'When the ticket was opened, with the pauses since')], default='attach', max_length=10, verbose_name='counts from'),
        ),
        migrations.AddField(
            model_name='servicelevelpolicy',
            name='stop_condition',
            field=models.JSONField(blank=True, null=True, verbose_name='stopped when'),
        ),
        migrations.AddField(
            model_name='timer',
            name='acknowledged_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='timer',
            name='acknowledged_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='timer',
            name='repeats',
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.AddField(
            model_name='timer',
            name='target_us',
            field=models.BigIntegerField(default=0),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='timer',
            name='team',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.team'),
        ),
        migrations.AddField(
            model_name='timer',
            name='time_zone',
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AlterField(
            model_name='servicelevelpolicy',
            name='metric',
            field=models.CharField(choices=[('response', 'Response'), ('next_response', 'Next response'), ('update', 'Periodic update'), ('resolution', 'Resolution'), ('team_stay', 'Time with the team'), ('supplier', 'Time with the supplier')], max_length=20, verbose_name='what is timed'),
        ),
        migrations.AlterField(
            model_name='slaevent',
            name='step',
            field=models.PositiveIntegerField(),
        ),
        migrations.AlterField(
            model_name='stepdue',
            name='step',
            field=models.PositiveIntegerField(),
        ),
        migrations.AlterField(
            model_name='timer',
            name='done_steps',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.PositiveIntegerField(), default=list),
        ),
        migrations.AlterField(
            model_name='timer',
            name='metric',
            field=models.CharField(choices=[('response', 'Response'), ('next_response', 'Next response'), ('update', 'Periodic update'), ('resolution', 'Resolution'), ('team_stay', 'Time with the team'), ('supplier', 'Time with the supplier')], max_length=20),
        ),
        migrations.RunSQL('UPDATE slas_timer SET target_us = target_s * 1000000::bigint', migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name='goal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('target_count__isnull', True), ('target_unit', 'time')), models.Q(models.Q(('target_unit', 'time'), _negated=True), ('target_count__isnull', False)), _connector='OR'), name='goal_count_fits_unit'),
        ),
        migrations.AddConstraint(
            model_name='timer',
            constraint=models.CheckConstraint(condition=models.Q(('elapsed_closed_us__gte', 0), ('target_us__gt', 0)), name='timer_amounts'),
        ),
        migrations.AddField(
            model_name='teamcalendar',
            name='calendar',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='team_calendars', to='slas.businesscalendar'),
        ),
        migrations.AddField(
            model_name='teamcalendar',
            name='team',
            field=models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='business_calendar', to='accounts.team'),
        ),
        migrations.RemoveField(
            model_name='timer',
            name='target_s',
        ),
    ]
