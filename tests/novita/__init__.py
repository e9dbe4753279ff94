"""The HTTP package, against respx, a raw socket, a stub in this process, and the simulator."""
