"""Every message is handled once, handed back or quarantined, whatever is broken meanwhile."""
