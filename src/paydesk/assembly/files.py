"""File descriptors: as many as the system allows this process, and some kept for what we open ourselves."""

import resource

from paydesk.config import Config
from paydesk.events.deliver import AT_ALL_MAX

OWN = 128  # The database's, the log's, the libraries'.


def raise_limit() -> int:
    """Have as many files as this process may have without being root; how many that is."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


def connections_max(config: Config, files: int) -> int:
    """How many connections the listener may take, so that those to PSPs and endpoints find files left.

    Where the system allows very few, half are kept.
    """
    if files == resource.RLIM_INFINITY:
        return config.connections_max
    outside = 2 * config.asking_max + AT_ALL_MAX + OWN
    return min(config.connections_max, max(files - outside, files // 2))
