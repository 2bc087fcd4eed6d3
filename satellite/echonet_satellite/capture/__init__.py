"""A process of its own that captures sound: what hangs or crashes in it costs nothing but one source, and not for long.

Sound servers that freeze, drivers that crash when a device is unplugged, libraries that write to the terminal, a
PortAudio that looks for devices once in its life: all of it happens in here, and the satellite can end it at any time.
"""
