"""A project on the server: people, protocol, images, tasks, reads, exports."""
