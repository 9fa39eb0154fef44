"""Tables of the tests' own, with all that makes comparing hard: NULLs, blanks, many-to-many, a nullable parent."""

from django.apps.registry import Apps
from django.db import models

# A registry of their own: the settings need not know the tests' tables, and relations work both ways.
REGISTRY = Apps(["tests.conditions"])


class Crew(models.Model):
    name = models.TextField()
    busy = models.BooleanField(null=True)
    motto = models.TextField(null=True)  # noqa: DJ001 - the point of the tests

    class Meta:
        app_label = "conditions"
        apps = REGISTRY

    def __str__(self):
        return self.name


class Thing(models.Model):
    code = models.TextField()
    title = models.TextField(null=True)  # noqa: DJ001 - the point of the tests
    state = models.TextField(blank=True, null=True)  # noqa: DJ001 - the point of the tests
    level = models.IntegerField(null=True)
    loud = models.BooleanField(null=True)
    made_at = models.DateTimeField(null=True)
    next_at = models.DateTimeField()
    crew = models.ForeignKey(Crew, models.CASCADE, null=True)
    fans = models.ManyToManyField(Crew)

    class Meta:
        app_label = "conditions"
        apps = REGISTRY

    def __str__(self):
        return self.code


TABLES = (Crew, Thing)
