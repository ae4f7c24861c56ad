"""What a server that says it speaks Verify has to do: a table of cases, and who runs it."""
