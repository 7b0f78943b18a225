"""Every compiled loop that these tests call must leave its scratch arrays as zeros."""

from recsys.datasets import buffers

buffers.check_returned = True
