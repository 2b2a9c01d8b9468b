"""Directing: motions that follow a path, go through poses and reach places."""

from motionclip.applications.direct.constraint import Constraint as Constraint
from motionclip.applications.direct.path import RootPath as RootPath
from motionclip.applications.direct.pin import Pin as Pin
from motionclip.applications.direct.pose import PoseAt as PoseAt
from motionclip.applications.direct.window import Directed as Directed
