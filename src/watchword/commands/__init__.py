"""The requests the engine runs, as data: each names its rows and decides over them."""
