"""Pages for people: server-rendered, small, working without JavaScript."""
