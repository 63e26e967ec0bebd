"""What station, server and reader agree on. Pure: no I/O, no clock, no asyncio."""
