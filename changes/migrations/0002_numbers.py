"""Change numbers come from a database sequence: CHG0030001 is the first."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("changes", "0001_initial")]
    operations = [
        migrations.RunSQL("CREATE SEQUENCE ticket_number_chg START 30001", "DROP SEQUENCE ticket_number_chg"),
    ]
