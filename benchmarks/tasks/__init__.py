"""What ``benchmarks.accuracy`` asks: data sets, cut into what is known and what came after."""

from typing import Final

from benchmarks.tasks import other_channel, tafeng, windows, youshu
from benchmarks.tasks.task import Task

TASKS: Final[dict[str, Task]] = {
    task.name: task
    for task in (
        tafeng.PUBLISHED,
        tafeng.TASK,
        windows.JOURNEY,
        windows.UCI,
        other_channel.TASK,
        youshu.TASK,
    )
}
