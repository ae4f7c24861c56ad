"""The proofs: what is promised, tried at full size; `make proof` runs them."""
