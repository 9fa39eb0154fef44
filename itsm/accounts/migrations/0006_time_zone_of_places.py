"""The time zone of a location."""

from django.db import migrations, models

import itsm.accounts.models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0005_people_by_name'),
    ]

    operations = [
        migrations.AddField(
            model_name='location',
            name='time_zone',
            field=models.CharField(blank=True, max_length=64, validators=[itsm.accounts.models.check_time_zone], verbose_name='time zone'),
        ),
    ]
