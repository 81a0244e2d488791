"""The tables, version by version, and how a store is brought to the last one."""
