"""Parts that the detector does not run, as they were found: measured against the real labelled streams only."""
