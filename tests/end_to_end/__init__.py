"""The whole product: a home made by the commands, ``overread serve``, readers in a real browser."""
