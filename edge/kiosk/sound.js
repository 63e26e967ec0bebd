// Three tones, and one for what is wanted: told apart by rhythm, by pitch and by timbre.
// Each note: start in seconds, length in seconds, pitch in hertz.

export const TONES = {
  good: { wave: "sine", notes: [[0, 0.09, 1319]] },
  attention: { wave: "triangle", notes: [[0, 0.14, 740], [0.22, 0.14, 740]] },
  error: {
    wave: "sawtooth",
    notes: [[0, 0.26, 220], [0.34, 0.26, 220], [0.68, 0.4, 165]],
  },
  wanted: {
    wave: "square",
    notes: [[0, 0.12, 523], [0.14, 0.12, 659], [0.28, 0.12, 784], [0.42, 0.4, 1047]],
  },
};

const LOUD = 0.5;
const EDGE = 0.008; // seconds of rise and fall: without them a note clicks

let context = null;
let playing = [];

/** Play a tone at once, in place of one that still sounds. */
export function play(name) {
  const { wave, notes } = TONES[name];
  context ??= new AudioContext({ latencyHint: "interactive" });
  if (context.state === "suspended") context.resume();
  for (const old of playing) old.stop();
  playing = notes.map(([start, length, pitch]) => note(wave, start, length, pitch));
}

/** Whether the browser keeps quiet until somebody touches the page. */
export function silenced() {
  context ??= new AudioContext({ latencyHint: "interactive" });
  return context.state === "suspended";
}

/** Call `changed` whenever the browser begins or ceases to keep quiet. */
export function onSilence(changed) {
  silenced();
  context.addEventListener("statechange", changed);
  changed();
}

/** Let it sound; only a touch or a key may ask for it. */
export function unlock() {
  silenced();
  return context.resume();
}

function note(wave, start, length, pitch) {
  const from = context.currentTime + start;
  const gain = context.createGain();
  gain.gain.setValueAtTime(0, from);
  gain.gain.linearRampToValueAtTime(LOUD, from + EDGE);
  gain.gain.setValueAtTime(LOUD, from + length - EDGE);
  gain.gain.linearRampToValueAtTime(0, from + length);
  const tone = context.createOscillator();
  tone.type = wave;
  tone.frequency.value = pitch;
  tone.connect(gain).connect(context.destination);
  tone.start(from);
  tone.stop(from + length);
  return tone;
}
