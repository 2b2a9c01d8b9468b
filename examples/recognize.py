"""What is done in a motion, and when: labels with confidence, a timeline, and "none of these"."""

import motionclip
from motionclip.applications.recognize import label_set, labels_of

model = motionclip.load()

# 1. A motion file. Here the model makes one.
motionclip.write_motion(motionclip.text_to_motion(model, "a person waves both hands", seconds=5), "out/wave.bvh")
wave = motionclip.read_motion("out/wave.bvh")

# 2. The nearest of some words. Each is put into several sentences, whose directions are averaged.
(found,) = motionclip.recognize(model, [wave], labels_of(["walking", "running", "waving both hands"]), top=3)
for guess in found.guesses:
    print(f"{guess.label}: {100 * guess.confidence:.1f} %, cosine {guess.cosine:.2f}")

# 3. When it is done: stretches of time without gaps, also for files of many minutes.
for span in found.timeline:
    print(f"{span.start:.1f} to {span.end:.1f} s: {span.label}")

# 4. Sets of labels that come with the package, and what happens where the right one is missing.
labels = label_set("bandai")
without = labels.without([name for name in labels.names if "wave" in name])
for chosen in (labels, without):
    print(motionclip.recognize(model, [wave], chosen)[0].label)
