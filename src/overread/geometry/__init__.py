"""Boxes, outlines and masks as pure array maths; pixel or mm stated everywhere."""
