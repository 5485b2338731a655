"""The DataLoader's parts: collating samples, fetching batches, emulating workers."""

from . import collate as collate
from . import fetch as fetch
from . import worker as worker
