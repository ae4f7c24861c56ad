"""What delivers a message: one file per sender."""
