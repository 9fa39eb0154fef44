

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('slas', '0007_oncall'),
    ]

    operations = [
        migrations.CreateModel(
            name='Alarm',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('late', 'Steps are late'), ('parked', 'Steps are parked'), ('different', 'Clocks differ from their history'), ('silent', 'A process has gone silent')], max_length=10)),
                ('raised_at', models.DateTimeField()),
                ('cleared_at', models.DateTimeField(blank=True, null=True)),
                ('details', models.JSONField(default=dict)),
                ('told_at', models.DateTimeField(blank=True, null=True)),
                ('all_clear_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'verbose_name': 'alarm',
                'ordering': ('-raised_at', '-pk'),
            },
        ),
        migrations.CreateModel(
            name='Audit',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('sampled', models.PositiveIntegerField()),
                ('findings', models.JSONField(default=list)),
                ('up_to_ticket', models.BigIntegerField(default=0)),
            ],
            options={
                'verbose_name': 'audit of the clocks',
                'ordering': ('-at', '-pk'),
            },
        ),
        migrations.CreateModel(
            name='Heartbeat',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=200, unique=True)),
                ('role', models.CharField(max_length=20)),
                ('started_at', models.DateTimeField()),
                ('beat_at', models.DateTimeField()),
            ],
            options={
                'verbose_name': 'heartbeat',
                'ordering': ('role', 'name'),
            },
        ),
        migrations.AddField(
            model_name='stepdue',
            name='retry_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddIndex(
            model_name='stepdue',
            index=models.Index(models.F('id'), condition=models.Q(('parked_at__isnull', False)), name='step_due_parked'),
        ),
        migrations.AddIndex(
            model_name='alarm',
            index=models.Index(models.F('id'), condition=models.Q(('told_at__isnull', True), models.Q(('all_clear_at__isnull', True), ('cleared_at__isnull', False)), _connector='OR'), name='alarm_to_tell'),
        ),
        migrations.AddConstraint(
            model_name='alarm',
            constraint=models.UniqueConstraint(condition=models.Q(('cleared_at__isnull', True)), fields=('kind',), name='alarm_stands_once'),
        ),
        migrations.AddIndex(
            model_name='audit',
            index=models.Index(models.F('at'), name='audit_at'),
        ),
    ]
