"""From the bytes of request events to columns, in compiled code."""
