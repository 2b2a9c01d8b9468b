"""Skin on the skeleton: a licence-free default body, and SMPL for users who have its files."""

from motionclip.body.body import Body, default_body
from motionclip.body.smpl import load_body, load_smpl

__all__ = ["Body", "default_body", "load_body", "load_smpl"]
