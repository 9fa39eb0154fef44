"""Holiday sets, names of dates, the declared length of a business day; the releases of zone data that were seen."""

import django.utils.timezone
from django.db import migrations, models

import itsm.accounts.models


class Migration(migrations.Migration):

    dependencies = [
        ('slas', '0005_timers'),
    ]

    operations = [
        migrations.CreateModel(
            name='HolidaySet',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=itsm.accounts.models.public_id, editable=False, max_length=32, unique=True)),
                ('name', models.CharField(max_length=200, unique=True, verbose_name='name')),
                ('country', models.CharField(max_length=2, verbose_name='country')),
                ('region', models.CharField(blank=True, max_length=20, verbose_name='region')),
                ('first_year', models.PositiveSmallIntegerField()),
                ('last_year', models.PositiveSmallIntegerField()),
                ('added', models.JSONField(blank=True, default=dict)),
                ('removed', models.JSONField(blank=True, default=list)),
                ('days', models.JSONField(blank=True, default=dict)),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                'verbose_name': 'holiday set',
                'ordering': ('name',),
            },
        ),
        migrations.CreateModel(
            name='ZoneRelease',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('release', models.CharField(max_length=100)),
                ('fingerprints', models.JSONField(default=dict)),
                ('moved_zones', models.JSONField(default=list)),
                ('timers_checked', models.PositiveIntegerField(default=0)),
                ('timers_moved', models.PositiveIntegerField(default=0)),
                ('largest_s', models.PositiveIntegerField(default=0)),
                ('noticed_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                'verbose_name': 'release of zone data',
                'ordering': ('-noticed_at', '-pk'),
            },
        ),
        migrations.AddField(
            model_name='calendarversion',
            name='declared_day_minutes',
            field=models.PositiveSmallIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='calendarversion',
            name='holidays',
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.AddField(
            model_name='calendarversion',
            name='names',
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.AddField(
            model_name='calendarversion',
            name='sources',
            field=models.JSONField(blank=True, default=list),
        ),
        migrations.AddField(
            model_name='businesscalendar',
            name='holiday_sets',
            field=models.ManyToManyField(blank=True, related_name='calendars', to='slas.holidayset'),
        ),
    ]
