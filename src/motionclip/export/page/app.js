// The page: a sentence is made a motion, played, and saved.

import { Model } from "./model.js";
import { Stage, clipOf } from "./stage.js";
import { toBvh, toGlb } from "./files.js";

const $ = id => document.getElementById(id);
const megabytes = bytes => `${(bytes / 1e6).toFixed(0)} MB`;
const say = text => { $("said").textContent = text; };

let model, stage, rest, motion, title, playing = true, time = 0, last = 0;

async function open() {
  const began = performance.now();
  [stage, rest] = await Promise.all([Stage.open($("scene"), "rest.glb"), fetch("rest.bvh").then(answer => answer.text())]);
  requestAnimationFrame(draw);
  let size = 0;
  model = await Model.load((done, all) => { size = all; say(`loading the model: ${megabytes(done)} of ${megabytes(all)}`); });
  $("seconds").max = model.manifest.max_frames / model.manifest.fps;
  $("make").disabled = false;
  say(`ready: a model of ${megabytes(size)}, loaded in ${((performance.now() - began) / 1000).toFixed(1)} s; nothing leaves this page`);
}

async function make(event) {
  event.preventDefault();
  if ($("make").disabled) return;
  $("make").disabled = true;
  say("making ...");
  const began = performance.now();
  try {
    title = $("words").value;
    motion = await model.make(title, { seconds: Number($("seconds").value), seed: BigInt($("seed").value) });
    stage.show(clipOf(motion, model.manifest.skeleton.names));
    say(`${motion.frames} frames in ${((performance.now() - began) / 1000).toFixed(2)} s`);
    $("time").max = motion.frames - 1;
    time = 0;
    play(true);
    for (const id of ["play", "time", "glb", "bvh"]) $(id).disabled = false;
  } catch (error) {
    say(`that did not work: ${error.message}`);
  }
  $("make").disabled = false;
}

function play(on) {
  playing = on;
  $("play").textContent = on ? "Pause" : "Play";
  $("play").setAttribute("aria-pressed", on);
}

function go(frame) {
  play(false);
  time = Math.max(0, Math.min(frame, motion.frames - 1)) / motion.fps;
}

function draw(now) {
  if (motion) {
    if (playing) time = (time + (now - last) / 1000) % (motion.frames / motion.fps);
    const frame = Math.floor(time * motion.fps + 1e-6);
    $("time").value = frame;
    $("clock").textContent = `${frame + 1} / ${motion.frames}`;
  }
  last = now;
  stage.draw(time);
  requestAnimationFrame(draw);
}

function save(content, suffix, type) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = (title.toLowerCase().replace(/[^a-z0-9]+/g, "_").replace(/^_|_$/g, "").slice(0, 60) || "motion") + suffix;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

$("form").addEventListener("submit", make);
$("play").addEventListener("click", () => play(!playing));
$("time").addEventListener("input", () => go(Number($("time").value)));
$("bvh").addEventListener("click", () => save(toBvh(motion, rest, model.manifest.skeleton.names), ".bvh", "text/plain"));
$("glb").addEventListener("click", async () => save(await toGlb(stage.body, stage.clip), ".glb", "model/gltf-binary"));
addEventListener("keydown", event => {
  if (!motion || event.target.matches("input:not([type=range]), button")) return;
  const steps = { ArrowLeft: -1, ArrowRight: 1 };
  if (event.key === " ") play(!playing);
  else if (event.key in steps) go(Number($("time").value) + steps[event.key]);
  else return;
  event.preventDefault();
});

open().catch(error => say(`that did not work: ${error.message}`));
