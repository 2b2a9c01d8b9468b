"""The sentences that are nearest to a motion."""

import motionclip

model = motionclip.load()

# 1. A motion file. Here the model makes one.
made = motionclip.text_to_motion(model, "a person walks like an elderly person", seconds=4)
motionclip.write_motion(made, "out/walk.npz")
walk = motionclip.read_motion("out/walk.npz")

# 2. The nearest of the package's own sentences.
((span,),) = motionclip.caption(model, [walk], top=3)
for sentence in span.nearest:
    print(f"{sentence.cosine:.2f} {sentence.text}")

# 3. The nearest of sentences of one's own.
((span,),) = motionclip.caption(model, [walk], ["a granny goes shopping", "a boxer trains", "someone waves goodbye"])
print(span.nearest[0].text)
