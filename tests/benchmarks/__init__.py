"""What a push costs here and with other servers: `make bench` writes docs/performance.md."""
