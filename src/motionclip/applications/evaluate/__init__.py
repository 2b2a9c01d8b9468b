"""The figures of a model on prepared stores: reconstruction, retrieval, recognition, generation, editing."""

from motionclip.applications.evaluate.evaluate import Evaluation, evaluate

__all__ = ["Evaluation", "evaluate"]
