"""One file per kind of claim; `make bench` runs them and says which goals are met."""
