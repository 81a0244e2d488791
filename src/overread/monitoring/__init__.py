"""Readers and labels watched: control charts with a stated false-alarm rate, rules of labels."""
