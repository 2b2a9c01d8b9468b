// The body on a floor, and the motion that it plays.

import * as three from "three";
import { OrbitControls } from "./libraries/OrbitControls.js";
import { GLTFLoader } from "./libraries/GLTFLoader.js";
import { quaternionsOf } from "./files.js";

/** A motion as an animation of the nodes that have the joints' names. */
export function clipOf(motion, names) {
  const times = Float32Array.from({ length: motion.frames }, (_, frame) => frame / motion.fps);
  const turns = names.map((name, joint) => new three.QuaternionKeyframeTrack(`${name}.quaternion`, times, quaternionsOf(motion, joint)));
  return new three.AnimationClip("motion", -1, [new three.VectorKeyframeTrack(`${names[0]}.position`, times, motion.root), ...turns]);
}

export class Stage {
  /** @param {HTMLCanvasElement} canvas @param {string} address of the body's GLB file */
  static async open(canvas, address) {
    const { scene, animations: [rest] } = await new GLTFLoader().loadAsync(address);
    const stage = new Stage(canvas, scene);
    stage.show(rest);
    return stage;
  }

  constructor(canvas, body) {
    this.renderer = new three.WebGLRenderer({ canvas, antialias: true, alpha: true });
    this.renderer.shadowMap.enabled = true;
    this.scene = new three.Scene();
    this.camera = new three.PerspectiveCamera(35, 1, 0.1, 100);
    this.camera.position.set(2.3, 1.6, 5.6);
    this.controls = new OrbitControls(this.camera, canvas);
    this.controls.target.set(0, 0.3, 0); // the body stands above the controls
    this.controls.maxPolarAngle = Math.PI / 2 - 0.02;
    this.body = body;
    this.mixer = new three.AnimationMixer(body);
    body.traverse(node => { node.castShadow = node.isMesh; node.frustumCulled = false; });
    this.scene.add(body, ...this.surroundings());
    new ResizeObserver(() => this.fit()).observe(canvas);
    this.fit();
  }

  surroundings() {
    this.sun = new three.DirectionalLight(0xffffff, 2.2);
    this.sun.castShadow = true;
    this.sun.shadow.mapSize.set(1024, 1024);
    for (const side of ["left", "bottom"]) this.sun.shadow.camera[side] = -2.5;
    for (const side of ["right", "top"]) this.sun.shadow.camera[side] = 2.5;
    const shadow = new three.Mesh(new three.PlaneGeometry(60, 60), new three.ShadowMaterial({ opacity: 0.25, depthWrite: false }));
    shadow.rotation.x = -Math.PI / 2;
    shadow.receiveShadow = true;
    const grid = new three.GridHelper(60, 120, 0x8894a2, 0x8894a2);
    Object.assign(grid.material, { transparent: true, opacity: 0.3 });
    grid.position.y = 0.001; // over the shadow
    return [new three.HemisphereLight(0xffffff, 0x8090a0, 1.6), this.sun, this.sun.target, shadow, grid];
  }

  fit() {
    const { clientWidth: width, clientHeight: height } = this.renderer.domElement;
    this.renderer.setPixelRatio(Math.min(devicePixelRatio, 2));
    this.renderer.setSize(width, height, false);
    this.camera.aspect = width / Math.max(height, 1);
    this.camera.updateProjectionMatrix();
  }

  /** Shows an animation from now on. */
  show(clip) {
    this.mixer.stopAllAction();
    this.mixer.clipAction(clip).play();
    this.clip = clip;
  }

  /** Draws the body at a time of the animation; camera and light follow it. */
  draw(seconds) {
    this.mixer.setTime(Math.min(seconds, this.clip.duration - 1e-4));
    const root = this.body.getObjectByName("pelvis").position, target = this.controls.target;
    const moved = new three.Vector3(root.x - target.x, 0, root.z - target.z);
    target.add(moved);
    this.camera.position.add(moved);
    this.sun.target.position.set(root.x, 0, root.z);
    this.sun.position.set(root.x + 1.5, 4, root.z + 2);
    this.controls.update();
    this.renderer.render(this.scene, this.camera);
  }
}
