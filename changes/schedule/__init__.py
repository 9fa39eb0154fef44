"""When changes may be made: windows, collisions, free slots and the calendar."""
