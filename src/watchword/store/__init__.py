"""Where the records live: one promise, kept in memory and in SQL."""
