"""How far readers agree, with intervals that hold."""
