"""The network: how it is built, what it begins with, what it is released as."""
