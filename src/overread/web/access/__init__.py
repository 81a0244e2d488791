"""Who may do what: sessions, passwords, the guard before every route."""
