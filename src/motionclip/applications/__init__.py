"""The applications of the model, and the defaults of theirs that the command line shows without importing PyTorch."""

#: Seconds of a motion of words.
DEFAULT_SECONDS = 4.0
#: Classifier-free guidance scale of the latent prior.
DEFAULT_GUIDANCE = 1.5
#: Seconds of the transition between two shots of a storyboard.
DEFAULT_OVERLAP = 0.8
#: Takes that are drawn for words, of which the best is kept.
DEFAULT_TAKES = 8
