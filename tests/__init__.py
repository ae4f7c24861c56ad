"""The tests: `test_<module>.py` mirrors the module, names are sentences."""
