"""When to stop, what to cut, whether to show. Pure: no clock, disk, log or globals."""
