"""Use cases, one a file: they carry values between the layers."""
