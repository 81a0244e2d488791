"""The main job on real input, and a server with ready projects to look at."""
