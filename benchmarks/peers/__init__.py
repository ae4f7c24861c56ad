"""Other open programs that do the same, as small as they can be made, under the same load."""
