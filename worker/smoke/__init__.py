"""The closed loop: publish, wait for exactly that message's entry, or find what is broken."""
