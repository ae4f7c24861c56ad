"""What the server answers, described: as an OpenAPI document, as pages, as a coverage table."""
