"""The two stages: `account` sees every request, `group` sees every account. Batches in, records out."""
