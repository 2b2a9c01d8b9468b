"""Directing: motions that follow a path, go through poses and reach places."""

from motionclip.applications.direct.constraints import Constraint as Constraint
from motionclip.applications.direct.constraints import Pin as Pin
from motionclip.applications.direct.constraints import PoseAt as PoseAt
from motionclip.applications.direct.constraints import RootPath as RootPath
from motionclip.applications.direct.direct import Directed as Directed
from motionclip.applications.direct.direct import direct as direct
