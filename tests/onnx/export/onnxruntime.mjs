// Runs the models of a directory in onnxruntime: node onnxruntime.mjs MODELS PACKAGES
// Each NAME.onnx stands beside a NAME.json of type, shape and elements of an input, and what must come of it.
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';

const [models, packages] = process.argv.slice(2);
const ort = createRequire(path.resolve(packages, 'index.js'))('onnxruntime-node');

let failed = 0, run = 0;
for (const file of fs.readdirSync(models).filter((f) => f.endsWith('.json')).sort()) {
  const { type, shape, x, y } = JSON.parse(fs.readFileSync(path.join(models, file)));
  const data = type === 'int64' ? BigInt64Array.from(x, BigInt) : Float32Array.from(x);
  const session = await ort.InferenceSession.create(path.join(models, file.replace('.json', '.onnx')));
  const { output } = await session.run({ input: new ort.Tensor(type, data, shape) });
  const worst = y.reduce((most, value, i) => Math.max(most, Math.abs(value - output.data[i])), 0);
  const good = output.data.length === y.length && worst <= 1e-5;
  console.log(`${good ? 'passed' : 'FAILED'} ${file.replace('.json', '')}: differs by ${worst.toExponential(1)} at most`);
  run += 1;
  failed += good ? 0 : 1;
}
if (run === 0) console.log('no models');
process.exit(failed > 0 || run === 0 ? 1 : 0);
