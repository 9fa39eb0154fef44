"""What the timers' engine keeps beside its clocks."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('slas', '0008_ticker_watch'),
    ]

    operations = [
        migrations.AddField(
            model_name='timer',
            name='reset_held',
            field=models.BooleanField(default=False),
        ),
    ]
