"""Real devices, in a virtual machine: `make test-vm`."""
