"""What stands in the control panel: one file for each part."""
