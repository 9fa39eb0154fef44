"""Replaying a real desk's incident log (UCI dataset 498, a ServiceNow audit export) through the verbs of incidents.

`reading` turns the file into rows, `mapping` says what a value means here, `directory` makes people, teams, categories
and services, `applying` carries one incident's rows out, `running` goes through the file, `report` accounts for every
row.
"""
