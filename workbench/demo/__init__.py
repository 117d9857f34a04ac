"""The bundled corpus of the demonstration, and how well what was planted in it is found."""
