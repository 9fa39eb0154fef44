"""Incident numbers come from a database sequence: INC0010001 is the first."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("incidents", "0001_initial")]
    operations = [
        migrations.RunSQL("CREATE SEQUENCE ticket_number_inc START 10001", "DROP SEQUENCE ticket_number_inc"),
    ]
