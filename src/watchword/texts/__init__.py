"""The words of messages: a language's texts, the choice of one, its last lines, its segments."""
