"""One script per claim: each prints what it measured, with the machine and the settings it ran on."""
