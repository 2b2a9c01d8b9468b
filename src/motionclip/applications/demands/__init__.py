"""What words demand of a body that can be measured, and how far motions meet it: by which takes are ranked."""

from motionclip.applications.demands.measures import Demand, met
from motionclip.applications.demands.words import demands_of, without_negation

__all__ = ["Demand", "demands_of", "met", "without_negation"]
