"""The promise of a store, held on every store."""
