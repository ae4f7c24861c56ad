"""What only development has: a clock to turn and faults to switch on; production has neither."""
