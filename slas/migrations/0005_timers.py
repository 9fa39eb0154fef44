"""What the timers' engine keeps beside its clocks."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('slas', '0004_agreements_steps_and_zones'),
    ]

    operations = [
        migrations.AddField(
            model_name='timer',
            name='reset_held',
            field=models.BooleanField(default=False),
        ),
    ]
