"""Pages for people: plain forms that work without scripts; scripts only watch and draw."""
