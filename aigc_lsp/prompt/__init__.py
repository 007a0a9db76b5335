"""From the text around the cursor to the tokens of a prompt. Pure: no clock, disk, log or globals."""
