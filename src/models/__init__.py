"""The documented models."""
