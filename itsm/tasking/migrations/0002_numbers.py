"""Task numbers come from a database sequence: TASK0010001 is the first."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("tasking", "0001_initial")]
    operations = [
        migrations.RunSQL("CREATE SEQUENCE ticket_number_task START 10001", "DROP SEQUENCE ticket_number_task"),
    ]
