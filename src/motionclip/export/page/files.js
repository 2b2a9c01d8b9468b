// Motions as files, made of rest.bvh and rest.glb: the same skeleton and body that Python writes, standing still.

import { Euler, Matrix4, Quaternion } from "three";
import { GLTFExporter } from "./libraries/GLTFExporter.js";

const CENTIMETRES = 100, JOINTS = 24;

/** The local rotation of a joint at a frame, as a matrix. */
export function rotationAt({ rotations }, frame, joint, target = new Matrix4()) {
  const [a, b, c, d, e, f, g, h, i] = rotations.subarray(9 * (frame * JOINTS + joint));
  return target.set(a, b, c, 0, d, e, f, 0, g, h, i, 0, 0, 0, 0, 1);
}

/** Quaternions (T * 4) of a joint, each with the sign nearer to the one before: q and -q are one rotation. */
export function quaternionsOf(motion, joint) {
  const values = new Float32Array(4 * motion.frames), now = new Quaternion(), before = new Quaternion(0, 0, 0, 0), matrix = new Matrix4();
  for (let frame = 0; frame < motion.frames; frame++) {
    now.setFromRotationMatrix(rotationAt(motion, frame, joint, matrix));
    if (now.dot(before) < 0) now.set(-now.x, -now.y, -now.z, -now.w);
    before.copy(now).toArray(values, 4 * frame);
  }
  return values;
}

/**
 * @param {import("./model.js").Motion} motion
 * @param {string} rest a BVH file of the same skeleton, whose hierarchy is taken
 * @param {string[]} names of the joints, in the motion's order
 * @returns {string} in centimetres: root channels XYZ then ZXY, others ZXY
 */
export function toBvh(motion, rest, names) {
  const hierarchy = rest.slice(0, rest.indexOf("MOTION"));
  const order = Array.from(hierarchy.matchAll(/(?:ROOT|JOINT) (\S+)/g), ([, name]) => names.indexOf(name));
  const lines = [], before = new Map(), euler = new Euler(), matrix = new Matrix4();
  for (let frame = 0; frame < motion.frames; frame++) {
    const row = Array.from(motion.root.subarray(3 * frame, 3 * frame + 3), metres => CENTIMETRES * metres);
    for (const joint of order) {
      const { x, y, z } = euler.setFromRotationMatrix(rotationAt(motion, frame, joint, matrix), "ZXY");
      const angles = [z, x, y].map(angle => angle * 180 / Math.PI);
      // angles run on over 180 degrees, so that programs may interpolate them
      const last = before.get(joint) ?? angles;
      before.set(joint, angles.map((angle, axis) => angle - 360 * Math.round((angle - last[axis]) / 360)));
      row.push(...before.get(joint));
    }
    lines.push(row.map(number => number.toFixed(6)).join(" "));
  }
  return `${hierarchy}MOTION\nFrames: ${motion.frames}\nFrame Time: ${(1 / motion.fps).toFixed(10)}\n${lines.join("\n")}\n`;
}

/** The body as binary glTF, with an animation. */
export function toGlb(body, clip) {
  return new GLTFExporter().parseAsync(body, { binary: true, animations: [clip], trs: true, onlyVisible: false });
}
